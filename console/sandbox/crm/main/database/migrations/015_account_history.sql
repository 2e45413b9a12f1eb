BEGIN;

CREATE TABLE account_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL,
    operation varchar(20) NOT NULL,
    changed_by text NOT NULL DEFAULT current_user,
    changed_at timestamptz NOT NULL DEFAULT now(),
    changes jsonb NOT NULL
);

CREATE INDEX idx_account_history_account ON account_history (account_id);

CREATE FUNCTION record_account_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(OLD) ELSE '{}'::jsonb END;
    operation text := lower(TG_OP);
    changed jsonb;
BEGIN
    SELECT coalesce(jsonb_object_agg(field.key, field.value), '{}'::jsonb) INTO changed
    FROM jsonb_each(to_jsonb(NEW)) AS field
    WHERE before -> field.key IS DISTINCT FROM field.value;
    IF TG_OP = 'UPDATE' AND OLD.deleted_at IS DISTINCT FROM NEW.deleted_at THEN
        operation := CASE WHEN NEW.deleted_at IS NULL THEN 'restore' ELSE 'delete' END;
    END IF;
    INSERT INTO account_history (account_id, operation, changes) VALUES (NEW.id, operation, changed);
    RETURN NULL;
END
$$;

CREATE TRIGGER accounts_history
    AFTER INSERT OR UPDATE OF name, industry, email, owner_id, primary_contact_id, deleted_at ON accounts
    FOR EACH ROW EXECUTE FUNCTION record_account_history();

COMMIT;
