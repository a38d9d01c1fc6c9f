-- A person's version: a number that no other version of anybody ever had. It changes in the transaction of each change to
-- the person or to their tweets, whichever query makes it; what is computed from tweets is kept under it.
CREATE SEQUENCE "User_version_seq";
ALTER TABLE "User" ADD COLUMN "version" BIGINT NOT NULL DEFAULT nextval('"User_version_seq"');
ALTER SEQUENCE "User_version_seq" OWNED BY "User"."version";

CREATE FUNCTION "raiseUserVersion"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."version" := nextval('"User_version_seq"');
  RETURN NEW;
END $$;

-- That somebody asked about the person, or how much is stored, changes nothing that is computed from the tweets.
CREATE TRIGGER "User_version" BEFORE UPDATE ON "User" FOR EACH ROW
  WHEN (OLD."askedAt" = NEW."askedAt" AND OLD."storedBytes" = NEW."storedBytes") EXECUTE FUNCTION "raiseUserVersion"();

-- Any update of the person's row raises the version, so this one need not name a new value.
CREATE FUNCTION "raiseVersionOfTweets"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "User" SET "version" = "version" WHERE "id" IN (SELECT "userId" FROM "changed");
  RETURN NULL;
END $$;

-- Once for each statement, not for each row. An update is listed as new rows: nothing moves tweets to another person.
CREATE TRIGGER "Tweet_insert_version" AFTER INSERT ON "Tweet"
  REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "raiseVersionOfTweets"();
CREATE TRIGGER "Tweet_update_version" AFTER UPDATE ON "Tweet"
  REFERENCING NEW TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "raiseVersionOfTweets"();
CREATE TRIGGER "Tweet_delete_version" AFTER DELETE ON "Tweet"
  REFERENCING OLD TABLE AS "changed" FOR EACH STATEMENT EXECUTE FUNCTION "raiseVersionOfTweets"();
