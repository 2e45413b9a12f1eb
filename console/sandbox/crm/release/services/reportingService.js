'use strict';

const queries = {
  accountsByStatus: `
    SELECT account_status AS status,
           count(*)::int AS accounts,
           coalesce(sum(annual_revenue), 0)::float AS revenue
    FROM accounts
    WHERE deleted_at IS NULL
    GROUP BY 1
    ORDER BY 2 DESC, 1
  `,
  deletedAccounts: `
    SELECT count(*)::int AS accounts FROM deleted_accounts
  `,
  leadConversion: `
    SELECT
      count(leads.id)::int AS leads,
      count(leads.converted_account_id)::int AS converted,
      count(accounts.id) FILTER (WHERE accounts.account_status = 'active')::int AS "nowActive",
      round(100.0 * count(leads.converted_account_id) / $1::numeric, 1)::float AS "percentOfTarget"
    FROM leads LEFT JOIN accounts ON accounts.id = leads.converted_account_id
  `,
};

async function accounts(db) {
  const byStatus = await db.query(queries.accountsByStatus);
  const deleted = await db.query(queries.deletedAccounts);
  return { statuses: byStatus.rows, deleted: deleted.rows[0].accounts };
}

async function leads(db, { target = 100 }) {
  const { rows } = await db.query(queries.leadConversion, [target]);
  return rows[0];
}

module.exports = { queries, accounts, leads };
