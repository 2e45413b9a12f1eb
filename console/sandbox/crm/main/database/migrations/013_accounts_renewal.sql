BEGIN;

ALTER TABLE accounts ADD COLUMN renewal_on date;
CREATE INDEX idx_accounts_renewal_on ON accounts (renewal_on);

COMMIT;
