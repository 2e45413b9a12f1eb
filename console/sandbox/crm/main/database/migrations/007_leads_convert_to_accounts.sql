BEGIN;

ALTER TABLE leads ADD COLUMN converted_account_id bigint REFERENCES accounts (id);
CREATE INDEX idx_leads_converted_account ON leads (converted_account_id) WHERE converted_account_id IS NOT NULL;

COMMIT;
