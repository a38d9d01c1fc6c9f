-- Jobs take turns between the addresses that asked for them.
ALTER TABLE "Collection" ADD COLUMN "askedBy" TEXT, ADD COLUMN "turn" INTEGER NOT NULL DEFAULT 0;
-- All posts are read again after some were deleted on X, but not at each change of their number.
ALTER TABLE "User" ADD COLUMN "mayHaveDeleted" BOOLEAN NOT NULL DEFAULT false, ADD COLUMN "rereadAt" TIMESTAMPTZ(3);
