'use strict';

const queries = {
  accountFields: `
    SELECT field.name, field.label
    FROM (VALUES
      ('name', 'Account name', 1),
      ('industry', 'Industry', 2),
      ('email', 'E-mail', 3),
      ('license_status', 'Licence status', 4),
      ('account_type', 'Account type', 5),
      ('is_trial', 'Trial', 6)
    ) AS field (name, label, position)
    ORDER BY field.position
  `,
  statusOptions: `
    SELECT option.value, option.label, count(accounts.id)::int AS accounts
    FROM (VALUES
      ('active', 'Active', 1),
      ('pending', 'Pending', 2),
      ('expired', 'Expired', 3),
      ('suspended', 'Suspended', 4),
      ('cancelled', 'Cancelled', 5)
    ) AS option (value, label, position)
    LEFT JOIN accounts ON accounts.license_status = option.value
    GROUP BY option.value, option.label, option.position
    ORDER BY option.position
  `,
};

async function accountFields(db) {
  const fields = await db.query(queries.accountFields);
  const options = await db.query(queries.statusOptions);
  return { fields: fields.rows, statusOptions: options.rows };
}

module.exports = { queries, accountFields };
