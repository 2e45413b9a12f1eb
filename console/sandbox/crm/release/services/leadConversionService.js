'use strict';

const NEW_ACCOUNT_STATUS = 'active';

const queries = {
  accountCreate: `
    INSERT INTO accounts (reference, organisation_id, owner_id, name, account_status, last_activity_at)
    SELECT 'ACC-' || lpad(nextval('account_reference_seq')::text, 7, '0'), organisations.id, min(users.id), $1, $2,
           now()
    FROM organisations JOIN users ON users.organisation_id = organisations.id
    GROUP BY organisations.id
    ORDER BY organisations.id
    LIMIT 1
    RETURNING id, reference, name, account_status AS status, created_at AS "createdAt"
  `,
  leadForConversion: `
    SELECT id, organisation_id, owner_id, company FROM leads WHERE id = $1 AND stage <> 'converted' FOR UPDATE
  `,
  accountFromLead: `
    INSERT INTO accounts (reference, organisation_id, owner_id, name, account_status, last_activity_at)
    SELECT 'ACC-' || lpad(nextval('account_reference_seq')::text, 7, '0'), organisation_id, owner_id, company, $2,
           now()
    FROM leads WHERE id = $1
    RETURNING id
  `,
  leadConverted: `
    UPDATE leads SET stage = 'converted', converted_account_id = $2, updated_at = now() WHERE id = $1
  `,
};

async function createAccount(db, { name, status = NEW_ACCOUNT_STATUS }) {
  const { rows } = await db.query(queries.accountCreate, [name, status]);
  return rows[0];
}

async function convert(db, leadId) {
  const client = await db.connect();
  try {
    await client.query('BEGIN');
    await client.query(queries.leadForConversion, [leadId]);
    const { rows } = await client.query(queries.accountFromLead, [leadId, NEW_ACCOUNT_STATUS]);
    await client.query(queries.leadConverted, [leadId, rows[0].id]);
    await client.query('COMMIT');
    return { accountId: rows[0].id };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

module.exports = { NEW_ACCOUNT_STATUS, queries, createAccount, convert };
