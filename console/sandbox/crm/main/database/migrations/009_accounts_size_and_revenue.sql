BEGIN;

ALTER TABLE accounts ADD COLUMN employees integer;
ALTER TABLE accounts ADD COLUMN annual_revenue numeric(14, 2);
ALTER TABLE accounts ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR';

COMMIT;
