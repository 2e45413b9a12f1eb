'use strict';

const ACCOUNT_STATUSES = ['active', 'pending', 'expired', 'suspended', 'cancelled'];

const queries = {
  dashboardKpis: `
    SELECT
      count(*) FILTER (WHERE deleted_at IS NULL)::int AS "totalAccounts",
      count(*) FILTER (WHERE deleted_at IS NULL AND license_status = 'active')::int AS "activeAccounts",
      count(*) FILTER (WHERE deleted_at IS NULL AND license_status = 'pending')::int AS "waitingAccounts",
      count(*) FILTER (WHERE deleted_at IS NULL AND is_trial)::int AS "trialAccounts",
      count(*) FILTER (WHERE deleted_at IS NULL AND account_type = 'enterprise')::int AS "enterpriseAccounts",
      coalesce(sum(annual_revenue) FILTER (WHERE deleted_at IS NULL AND license_status = 'active'), 0)::float
        AS "activeRevenue"
    FROM accounts
  `,
  leadKpis: `
    SELECT
      count(*) FILTER (WHERE stage <> 'converted')::int AS "openLeads",
      count(*) FILTER (WHERE stage = 'converted')::int AS "convertedLeads"
    FROM leads
  `,
  accountList: `
    SELECT id, reference, name, industry, license_status AS status, owner_id AS "ownerId",
           deleted_at AS "deletedAt", updated_at AS "updatedAt"
    FROM accounts
    WHERE deleted_at IS NULL AND ($1::text IS NULL OR license_status = $1)
    ORDER BY id DESC
    LIMIT $2
  `,
  accountById: `
    SELECT id, reference, name, industry, email, license_status AS status, account_type AS type,
           is_trial AS trial, owner_id AS "ownerId", deleted_at AS "deletedAt", created_at AS "createdAt",
           updated_at AS "updatedAt"
    FROM accounts
    WHERE id = $1
  `,
  accountUpdate: `
    UPDATE accounts
    SET name = coalesce($2, name), license_status = coalesce($3, license_status), updated_at = now()
    WHERE id = $1 AND deleted_at IS NULL
    RETURNING id, name, license_status AS status, updated_at AS "updatedAt"
  `,
  accountDelete: `
    UPDATE accounts
    SET deleted_at = now(), license_status = 'cancelled', updated_at = now()
    WHERE id = $1 AND deleted_at IS NULL
    RETURNING id, license_status AS status, deleted_at AS "deletedAt"
  `,
  accountRestore: `
    UPDATE accounts
    SET deleted_at = NULL, license_status = 'active', updated_at = now()
    WHERE id = $1 AND deleted_at IS NOT NULL
    RETURNING id, license_status AS status, deleted_at AS "deletedAt"
  `,
};

async function dashboardKpis(db) {
  const accounts = await db.query(queries.dashboardKpis);
  const leads = await db.query(queries.leadKpis);
  return { ...accounts.rows[0], ...leads.rows[0] };
}

async function list(db, { status = null, limit = 50 }) {
  const { rows } = await db.query(queries.accountList, [status, limit]);
  return rows;
}

async function find(db, id) {
  const { rows } = await db.query(queries.accountById, [id]);
  return rows[0];
}

async function update(db, id, { name = null, status = null }) {
  if (status !== null && !ACCOUNT_STATUSES.includes(status)) {
    throw new RangeError(`unknown status ${status}`);
  }
  const { rows } = await db.query(queries.accountUpdate, [id, name, status]);
  return rows[0];
}

async function softDelete(db, id) {
  const { rows } = await db.query(queries.accountDelete, [id]);
  return rows[0];
}

async function restore(db, id) {
  const { rows } = await db.query(queries.accountRestore, [id]);
  return rows[0];
}

module.exports = { ACCOUNT_STATUSES, queries, dashboardKpis, list, find, update, softDelete, restore };
