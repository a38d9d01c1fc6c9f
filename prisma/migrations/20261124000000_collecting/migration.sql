-- CreateEnum
CREATE TYPE "CollectionState" AS ENUM ('queued', 'working', 'waiting', 'done', 'failed');

-- AlterTable
ALTER TABLE "User" ADD COLUMN "postsOnX" INTEGER;

-- CreateTable
CREATE TABLE "Collection" (
    "usernameKey" TEXT NOT NULL,
    "username" TEXT NOT NULL,
    "state" "CollectionState" NOT NULL DEFAULT 'queued',
    "message" TEXT,
    "status" INTEGER,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "dueAt" TIMESTAMPTZ(3) NOT NULL,
    "worker" TEXT,
    "beatAt" TIMESTAMPTZ(3),
    "profile" JSONB,
    "sinceId" TEXT,
    "newestId" TEXT,
    "oldestId" TEXT,
    "toRead" INTEGER NOT NULL DEFAULT 0,
    "read" INTEGER NOT NULL DEFAULT 0,
    "kept" INTEGER NOT NULL DEFAULT 0,
    "removed" INTEGER NOT NULL DEFAULT 0,
    "embedded" INTEGER NOT NULL DEFAULT 0,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Collection_pkey" PRIMARY KEY ("usernameKey")
);

-- CreateTable
CREATE TABLE "Spend" (
    "day" DATE NOT NULL,
    "posts" INTEGER NOT NULL DEFAULT 0,
    "users" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "Spend_pkey" PRIMARY KEY ("day")
);
