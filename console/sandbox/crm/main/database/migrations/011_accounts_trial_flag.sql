BEGIN;

ALTER TABLE accounts ADD COLUMN is_trial boolean DEFAULT false;

COMMIT;
