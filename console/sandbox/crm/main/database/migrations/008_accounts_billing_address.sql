BEGIN;

ALTER TABLE accounts ADD COLUMN billing_street varchar(200);
ALTER TABLE accounts ADD COLUMN billing_city varchar(100);
ALTER TABLE accounts ADD COLUMN billing_postcode varchar(20);
ALTER TABLE accounts ADD COLUMN billing_country char(2);

COMMIT;
