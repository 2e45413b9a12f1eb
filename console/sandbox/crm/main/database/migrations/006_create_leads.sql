BEGIN;

CREATE TABLE leads (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id bigint NOT NULL REFERENCES organisations (id),
    owner_id bigint NOT NULL REFERENCES users (id),
    name varchar(200) NOT NULL,
    company varchar(200) NOT NULL,
    email varchar(200),
    stage varchar(40) NOT NULL DEFAULT 'new',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMIT;
