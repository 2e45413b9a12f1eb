'use strict';

// What happens to an account whatever its state: its history, and its removal for good.
const queries = {
  accountHistory: `
    SELECT operation, changed_by AS "changedBy", changed_at AS "changedAt", changes
    FROM account_history
    WHERE account_id = $1
    ORDER BY id
  `,
  releaseLeads: `
    UPDATE leads SET converted_account_id = NULL WHERE converted_account_id = $1
  `,
  purgeAccount: `
    DELETE FROM accounts WHERE id = $1 RETURNING id
  `,
  purgeHistory: `
    DELETE FROM account_history WHERE account_id = $1
  `,
};

async function purge(db, id) {
  const client = await db.connect();
  try {
    await client.query('BEGIN');
    await client.query(queries.releaseLeads, [id]);
    const { rows } = await client.query(queries.purgeAccount, [id]);
    await client.query(queries.purgeHistory, [id]);
    await client.query('COMMIT');
    return rows[0];
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

module.exports = { queries, purge };
