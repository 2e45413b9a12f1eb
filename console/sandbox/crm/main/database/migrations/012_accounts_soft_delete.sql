BEGIN;

ALTER TABLE accounts ADD COLUMN deleted_at timestamptz;
CREATE INDEX idx_accounts_deleted_at ON accounts (deleted_at) WHERE deleted_at IS NOT NULL;

COMMIT;
