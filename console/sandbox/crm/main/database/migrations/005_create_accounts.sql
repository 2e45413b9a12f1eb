BEGIN;

CREATE SEQUENCE account_reference_seq;

CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference varchar(20) NOT NULL UNIQUE,
    organisation_id bigint NOT NULL REFERENCES organisations (id),
    owner_id bigint NOT NULL REFERENCES users (id),
    primary_contact_id bigint REFERENCES contacts (id),
    name varchar(200) NOT NULL,
    industry varchar(80),
    website varchar(200),
    email varchar(200),
    license_status varchar(50) DEFAULT 'pending',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_accounts_license_status ON accounts (license_status);

COMMIT;
