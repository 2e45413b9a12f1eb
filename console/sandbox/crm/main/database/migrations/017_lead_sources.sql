BEGIN;

ALTER TABLE leads ADD COLUMN source varchar(40) NOT NULL DEFAULT 'web';
CREATE INDEX idx_leads_stage ON leads (stage);

COMMIT;
