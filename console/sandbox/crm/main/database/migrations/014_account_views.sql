BEGIN;

CREATE VIEW active_accounts AS
    SELECT id, reference, name, organisation_id, owner_id, license_status, account_type, is_trial, created_at
    FROM accounts
    WHERE deleted_at IS NULL AND license_status = 'active';

CREATE VIEW deleted_accounts AS
    SELECT id, reference, name, organisation_id, owner_id, license_status, deleted_at
    FROM accounts
    WHERE deleted_at IS NOT NULL;

COMMIT;
