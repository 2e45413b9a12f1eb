BEGIN;

CREATE TABLE organisations (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(200) NOT NULL,
    country char(2) NOT NULL DEFAULT 'GB',
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMIT;
