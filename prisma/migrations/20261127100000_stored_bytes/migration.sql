-- How much is stored of each user, for the ceiling, and when somebody last asked about them.
ALTER TABLE "User" ADD COLUMN "storedBytes" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN "askedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

UPDATE "User" SET "storedBytes" = coalesce((
    SELECT sum(500 + octet_length("text") + octet_length("embedding")) FROM "Tweet" WHERE "userId" = "User"."id"
), 0);
