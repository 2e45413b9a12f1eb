BEGIN;

ALTER TABLE accounts ADD COLUMN account_type varchar(50) DEFAULT 'standard';
CREATE INDEX idx_accounts_account_type ON accounts (account_type);

COMMIT;
