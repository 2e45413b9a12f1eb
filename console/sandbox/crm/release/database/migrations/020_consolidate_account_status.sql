-- One status for an account. Replaces license_status, account_type and is_trial by account_status:
-- active, inactive, on_hold, suspended or cancelled.

BEGIN;

ALTER TABLE accounts ADD COLUMN account_status VARCHAR(50) DEFAULT 'active';

-- Both views select the columns that go away.
DROP VIEW IF EXISTS active_accounts;
DROP VIEW IF EXISTS deleted_accounts;

UPDATE accounts
SET account_status = CASE
    WHEN deleted_at IS NOT NULL THEN 'cancelled'
    WHEN license_status = 'active' THEN 'active'
    WHEN license_status = 'pending' THEN 'on_hold'
    WHEN license_status = 'expired' THEN 'inactive'
    WHEN license_status = 'suspended' THEN 'suspended'
    WHEN license_status = 'cancelled' THEN 'cancelled'
    ELSE 'active'
END;

DROP INDEX IF EXISTS idx_accounts_license_status;
DROP INDEX IF EXISTS idx_accounts_account_type;

ALTER TABLE accounts DROP COLUMN IF EXISTS license_status;
ALTER TABLE accounts DROP COLUMN IF EXISTS account_type;
ALTER TABLE accounts DROP COLUMN IF EXISTS is_trial;

CREATE INDEX idx_accounts_account_status ON accounts (account_status);

CREATE VIEW active_accounts AS
    SELECT id, reference, name, organisation_id, owner_id, account_status, created_at
    FROM accounts
    WHERE deleted_at IS NULL AND account_status = 'active';

CREATE VIEW deleted_accounts AS
    SELECT id, reference, name, organisation_id, owner_id, account_status, deleted_at
    FROM accounts
    WHERE deleted_at IS NOT NULL;

COMMIT;
