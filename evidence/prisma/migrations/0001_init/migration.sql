CREATE TABLE "entry" (
  "position" BIGSERIAL NOT NULL,
  "subject" TEXT NOT NULL,
  "sequence" INTEGER NOT NULL,
  "algorithm" TEXT NOT NULL,
  "previous_hash" TEXT NOT NULL,
  "fields" JSON NOT NULL,
  "hash" TEXT NOT NULL,
  "stored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "checkpoint" INTEGER,
  "leaf_index" INTEGER,
  CONSTRAINT "entry_pkey" PRIMARY KEY ("position")
);
CREATE UNIQUE INDEX "entry_subject_sequence_key" ON "entry"("subject", "sequence");
CREATE UNIQUE INDEX "entry_checkpoint_leaf_index_key" ON "entry"("checkpoint", "leaf_index");
CREATE INDEX "entry_without_checkpoint" ON "entry"("position") WHERE "checkpoint" IS NULL;

CREATE TABLE "checkpoint" (
  "number" INTEGER NOT NULL,
  "at" TEXT NOT NULL,
  "algorithm" TEXT NOT NULL,
  "tree_size" INTEGER NOT NULL,
  "root_hash" TEXT NOT NULL,
  "previous_hash" TEXT NOT NULL,
  "key_id" TEXT NOT NULL,
  "signature" TEXT NOT NULL,
  CONSTRAINT "checkpoint_pkey" PRIMARY KEY ("number")
);

CREATE TABLE "key" (
  "id" TEXT NOT NULL,
  "jwk" JSON NOT NULL,
  CONSTRAINT "key_pkey" PRIMARY KEY ("id")
);

-- Append only: an entry changes once, when it comes under a checkpoint.
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'evidence is append only: % of %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME;
END $$;

CREATE FUNCTION "allow_checkpoint_only"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.checkpoint IS NULL AND NEW.checkpoint IS NOT NULL AND NEW.leaf_index IS NOT NULL
     AND (NEW.position, NEW.subject, NEW.sequence, NEW.algorithm, NEW.previous_hash, NEW.fields::text, NEW.hash, NEW.stored_at)
       = (OLD.position, OLD.subject, OLD.sequence, OLD.algorithm, OLD.previous_hash, OLD.fields::text, OLD.hash, OLD.stored_at)
  THEN RETURN NEW;
  END IF;
  RAISE EXCEPTION 'evidence is append only: UPDATE of evidence.entry is refused';
END $$;

CREATE TRIGGER "entry_update" BEFORE UPDATE ON "entry" FOR EACH ROW EXECUTE FUNCTION "allow_checkpoint_only"();
CREATE TRIGGER "entry_delete" BEFORE DELETE ON "entry" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "entry_truncate" BEFORE TRUNCATE ON "entry" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "checkpoint_change" BEFORE UPDATE OR DELETE ON "checkpoint" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "checkpoint_truncate" BEFORE TRUNCATE ON "checkpoint" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "key_change" BEFORE UPDATE OR DELETE ON "key" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
