CREATE TYPE "Source" AS ENUM ('x', 'archive', 'sample');

CREATE TABLE "User" (
  "id" TEXT NOT NULL,
  "username" TEXT NOT NULL,
  "usernameKey" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "pictureUrl" TEXT,
  "source" "Source" NOT NULL,
  "newestTweetId" TEXT,
  "collectedAt" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "User_usernameKey_key" ON "User" ("usernameKey");

CREATE TABLE "Tweet" (
  "id" TEXT NOT NULL,
  "userId" TEXT NOT NULL,
  "text" TEXT NOT NULL,
  "createdAt" TIMESTAMPTZ(3),
  "position" BIGINT NOT NULL,
  "embedding" BYTEA NOT NULL,
  "encoder" TEXT NOT NULL,
  CONSTRAINT "Tweet_pkey" PRIMARY KEY ("userId", "id"),
  CONSTRAINT "Tweet_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "Tweet_userId_position_idx" ON "Tweet" ("userId", "position" DESC);
