'use strict';

const queries = {
  leadList: `
    SELECT id, name, company, email, stage, converted_account_id AS "accountId", created_at AS "createdAt"
    FROM leads
    ORDER BY id DESC
    LIMIT $1
  `,
  leadCreate: `
    INSERT INTO leads (organisation_id, owner_id, name, company, email, source)
    SELECT organisations.id, min(users.id), $1, $2, $3, 'api'
    FROM organisations JOIN users ON users.organisation_id = organisations.id
    GROUP BY organisations.id
    ORDER BY organisations.id
    LIMIT 1
    RETURNING id, name, company, stage
  `,
  leadPurge: `
    DELETE FROM leads WHERE id = $1 RETURNING id
  `,
  leadHistoryPurge: `
    DELETE FROM lead_history WHERE lead_id = $1
  `,
};

async function list(db, { limit = 50 }) {
  const { rows } = await db.query(queries.leadList, [limit]);
  return rows;
}

async function create(db, { name, company, email }) {
  const { rows } = await db.query(queries.leadCreate, [name, company ?? name, email ?? null]);
  return rows[0];
}

async function purge(db, id) {
  const { rows } = await db.query(queries.leadPurge, [id]);
  await db.query(queries.leadHistoryPurge, [id]);
  return rows[0];
}

module.exports = { queries, list, create, purge };
