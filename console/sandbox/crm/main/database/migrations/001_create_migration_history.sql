BEGIN;

CREATE TABLE schema_migrations (
    version integer PRIMARY KEY,
    filename text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

COMMIT;
