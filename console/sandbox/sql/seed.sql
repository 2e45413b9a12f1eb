-- The seed of a CRM with current_setting('seed.accounts') accounts. Every value follows from a row's number, and
-- the time of the last activity from today, so that worlds of one size hold the same rows.

INSERT INTO organisations (name, country, created_at)
SELECT 'Organisation ' || n, (ARRAY['GB', 'DE', 'FR', 'ES', 'NL'])[1 + n % 5],
       timestamptz '2023-01-09 09:00Z' + n * interval '1 day'
FROM generate_series(1, 12) AS n;

INSERT INTO users (organisation_id, email, full_name, role, created_at)
SELECT 1 + n % 12, 'user' || n || '@crm.example.com', 'User ' || n,
       (ARRAY['sales', 'sales', 'sales', 'support', 'admin'])[1 + n % 5],
       timestamptz '2023-02-01 09:00Z' + n * interval '6 hours'
FROM generate_series(1, 60) AS n;

INSERT INTO contacts (organisation_id, full_name, email, phone, created_at, updated_at)
SELECT 1 + n % 12, 'Contact ' || n, 'contact' || n || '@customer.example.com',
       '+44 20 7946 ' || lpad((n % 1000)::text, 4, '0'), made, made
FROM generate_series(1, least(greatest(current_setting('seed.accounts')::int / 2, 60), 20000)) AS n,
     LATERAL (SELECT timestamptz '2023-03-01 09:00Z' + n * interval '37 minutes' AS made) AS times;

-- The history of the seed is written in one go below, not row by row.
ALTER TABLE accounts DISABLE TRIGGER accounts_history;
ALTER TABLE leads DISABLE TRIGGER leads_history;

-- Of a hundred accounts: 60 active, 10 pending, 9 expired, 6 suspended, 8 cancelled, and seven whose licence the
-- mapping does not know: NULL, empty, another spelling, a status of long ago. Six are soft-deleted.
INSERT INTO accounts (
    reference, organisation_id, owner_id, primary_contact_id, name, industry, website, email, license_status,
    account_type, is_trial, billing_street, billing_city, billing_postcode, billing_country, employees,
    annual_revenue, currency, renewal_on, last_activity_at, deleted_at, created_at, updated_at
)
SELECT
    'ACC-' || lpad(n::text, 7, '0'),
    1 + n % 12,
    1 + n % 60,
    CASE WHEN n % 4 > 0 THEN 1 + n % 60 END,
    (ARRAY['Alder', 'Birch', 'Cedar', 'Elm', 'Hazel', 'Juniper', 'Larch', 'Maple', 'Oak', 'Rowan'])[1 + n % 10]
        || ' ' || (ARRAY['Labs', 'Logistics', 'Media', 'Foods', 'Systems', 'Partners', 'Works'])[1 + n % 7]
        || ' ' || n,
    (ARRAY['Software', 'Retail', 'Logistics', 'Healthcare', 'Finance', 'Media'])[1 + n % 6],
    'https://account' || n || '.example.com',
    'office@account' || n || '.example.com',
    CASE
        WHEN licence < 60 THEN 'active'
        WHEN licence < 70 THEN 'pending'
        WHEN licence < 79 THEN 'expired'
        WHEN licence < 85 THEN 'suspended'
        WHEN licence < 93 THEN 'cancelled'
        WHEN licence < 95 THEN 'grandfathered'
        WHEN licence < 96 THEN 'Active'
        WHEN licence < 97 THEN ''
    END,
    CASE WHEN kind < 60 THEN 'standard' WHEN kind < 80 THEN 'enterprise' WHEN kind < 92 THEN 'trial' ELSE 'partner' END,
    kind BETWEEN 78 AND 90,
    n || ' High Street',
    (ARRAY['London', 'Berlin', 'Paris', 'Madrid', 'Utrecht'])[1 + n % 5],
    lpad((n * 7 % 100000)::text, 5, '0'),
    (ARRAY['GB', 'DE', 'FR', 'ES', 'NL'])[1 + n % 5],
    5 + n * 31 % 4000,
    round((n::bigint * 7919 % 5000000)::numeric + 0.5, 2),
    CASE WHEN n % 5 = 0 THEN 'GBP' ELSE 'EUR' END,
    date '2026-03-01' + n % 365,
    CASE WHEN n % 17 > 0 THEN date_trunc('day', now()) - (n % 140) * interval '1 day' END,
    CASE WHEN n::bigint * 53 % 100 < 6 THEN made + interval '300 days' END,
    made,
    made + (n % 200) * interval '1 day'
FROM generate_series(1, current_setting('seed.accounts')::int) AS n,
     LATERAL (SELECT n::bigint * 37 % 100 AS licence, n::bigint * 61 / 7 % 100 AS kind,
                     timestamptz '2023-04-03 08:00Z' + (n % 700) * interval '1 day' + n % 540 * interval '1 minute'
                     AS made) AS mix;

SELECT setval('account_reference_seq', current_setting('seed.accounts')::bigint);

INSERT INTO account_history (account_id, operation, changed_by, changed_at, changes)
SELECT id, 'insert', 'crm', created_at, jsonb_build_object('name', name) FROM accounts WHERE id % 3 = 0;

INSERT INTO account_history (account_id, operation, changed_by, changed_at, changes)
SELECT id, 'delete', 'crm', deleted_at, jsonb_build_object('deleted_at', deleted_at)
FROM accounts WHERE deleted_at IS NOT NULL;

INSERT INTO leads (organisation_id, owner_id, name, company, email, stage, converted_account_id, source, created_at, updated_at)
SELECT 1 + n % 12, 1 + n % 60, 'Lead ' || n, 'Prospect ' || n, 'lead' || n || '@prospect.example.com',
       CASE WHEN converted THEN 'converted' ELSE (ARRAY['new', 'contacted', 'qualified'])[1 + n % 3] END,
       CASE WHEN converted THEN n END, (ARRAY['web', 'fair', 'referral'])[1 + n % 3], made, made
FROM generate_series(1, greatest(current_setting('seed.accounts')::int / 2, 1)) AS n,
     LATERAL (SELECT n % 10 < 3 AND n <= current_setting('seed.accounts')::int AS converted,
                     timestamptz '2023-06-01 08:00Z' + (n % 900) * interval '1 day' AS made) AS mix;

INSERT INTO lead_history (lead_id, stage, changed_at) SELECT id, stage, created_at FROM leads;

ALTER TABLE accounts ENABLE TRIGGER accounts_history;
ALTER TABLE leads ENABLE TRIGGER leads_history;
