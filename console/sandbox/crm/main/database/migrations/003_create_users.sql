BEGIN;

CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations (id),
    email varchar(200) NOT NULL UNIQUE,
    full_name varchar(200) NOT NULL,
    role varchar(40) NOT NULL DEFAULT 'sales',
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMIT;
