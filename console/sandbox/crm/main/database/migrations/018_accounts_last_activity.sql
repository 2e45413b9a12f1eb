BEGIN;

ALTER TABLE accounts ADD COLUMN last_activity_at timestamptz;

COMMIT;
