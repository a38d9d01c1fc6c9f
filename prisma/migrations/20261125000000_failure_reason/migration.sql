-- Why a collecting failed is stored as the app's reason and no longer as an HTTP status.
ALTER TABLE "Collection" ADD COLUMN "reason" TEXT;
UPDATE "Collection" SET "reason" = CASE "status"
  WHEN 403 THEN 'forbidden' WHEN 404 THEN 'not-found' WHEN 422 THEN 'unusable'
  WHEN 502 THEN 'bad-source' WHEN 503 THEN 'unavailable' ELSE 'bug' END
WHERE "status" IS NOT NULL;
ALTER TABLE "Collection" DROP COLUMN "status";
