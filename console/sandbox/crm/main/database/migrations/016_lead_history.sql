BEGIN;

CREATE TABLE lead_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lead_id bigint NOT NULL,
    stage varchar(40) NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_lead_history_lead ON lead_history (lead_id);

CREATE FUNCTION record_lead_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO lead_history (lead_id, stage) VALUES (NEW.id, NEW.stage);
    RETURN NULL;
END
$$;

CREATE TRIGGER leads_history
    AFTER INSERT OR UPDATE OF stage ON leads
    FOR EACH ROW EXECUTE FUNCTION record_lead_history();

COMMIT;
