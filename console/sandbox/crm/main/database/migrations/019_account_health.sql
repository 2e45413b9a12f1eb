BEGIN;

CREATE FUNCTION account_health(status text, last_activity_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN status IN ('suspended', 'cancelled') THEN 'lost'
        WHEN last_activity_at IS NULL OR last_activity_at < now() - interval '90 days' THEN 'at_risk'
        ELSE 'good'
    END
$$;

COMMIT;
