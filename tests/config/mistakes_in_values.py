"""Mistakes in single values, the release, the checks and the places: what is written for what, and the refusal."""

FIRST_CLEANUP = """  [[checks.cleanup]]
  send   = "DELETE /api/accounts/{account}?purge=true"
  status = [200, 204, 404]

  [[checks.cleanup]]
  send   = "DELETE /api/leads/{lead}?purge=true"
  status = [200, 204, 404]
"""

MESSAGE = """# [[messages]]
# turn    = "declared"
# subject = "Incident: {title}"
# text    = \"\"\"
# The release did not go as planned. We are looking at the ways back and will write again when one is chosen.
# \"\"\"
"""

MISTAKES = {
    "a duration without a unit": (
        ('lock_timeout      = "3 s"', 'lock_timeout      = "3"'),
        'migration.lock_timeout: "3" is not a duration. Write for example "500 ms", "3 s", "30 min" or "7 days".',
    ),
    "a duration that is a number": (
        ('lock_timeout      = "3 s"', "lock_timeout      = 3"),
        'migration.lock_timeout: must be text in quotes, such as "30 s".',
    ),
    "a unit that does not exist": (
        ('planned = "6-12 min"', 'planned = "6-12 mins"'),
        'steps[2].planned: "mins" is not a unit of time. Did you mean "min"?',
    ),
    "a range that runs backwards": (
        ('planned = "6-12 min"', 'planned = "12-6 min"'),
        'steps[2].planned: "12-6 min" begins with the longer time: write "6-12 min".',
    ),
    "no time at all": (('keep_for = "7 days"', 'keep_for = "0 days"'), 'backup.keep_for: "0 days" is no time at all'),
    "a lock wait that outlives its statement": (
        ('lock_timeout      = "3 s"', 'lock_timeout      = "3 h"'),
        "migration.lock_timeout: is longer than `statement_timeout`",
    ),
    "a share that is none": (
        ('error_rate      = "5 %"', 'error_rate      = "500 %"'),
        'thresholds.error_rate: "500 %" is not a share. Write a percentage from "0 %" to "100 %".',
    ),
    "text for a number": (
        ("minimum_samples = 5 ", 'minimum_samples = "5" '),
        "thresholds.minimum_samples: must be a whole number.",
    ),
    "a number for text": (
        ('name         = "crm-backend"', "name         = 7"),
        "services[0].name: must be text in quotes.",
    ),
    "a date for text": (
        ('title          = "Account Status Consolidation"', "title = 2026-02-04"),
        "title: is a date; put it in quotes.",
    ),
    "a number without end": (
        ("latency_ratio   = 3.0", "latency_ratio   = inf"),
        "thresholds.latency_ratio: must be a finite number.",
    ),
    "an expectation without end": (
        ("totalAccounts  = { min = 1 }", "totalAccounts  = { max = inf }"),
        "checks[0].requests[1].expect.totalAccounts.max: must be a finite number.",
    ),
    "leftovers that are expected": (
        ("expect = { leftovers = 0 }", "expect = { leftovers = 1 }"),
        "checks[1].leftovers.expect: must expect nothing to be left: 0.",
    ),
    "an environment that does not exist": (
        ('environment    = "production"', 'environment    = "prodction"'),
        'environment: "prodction" is not one of the words for it. Did you mean "production"?',
    ),
    "a service in no environment": (
        ('environment  = "devtest"', 'environment  = "devtets"'),
        'services[4].environment: "devtets" is not one of the words for it. Did you mean "devtest"?',
    ),
    "a service that the push does not reach": (
        ('branch       = "main"', 'branch       = "master"'),
        'services[0].branch: "master" is not the branch that is pushed ("main"): nothing would reach it.',
    ),
    "a branch merged into itself": (
        ('source        = "staging"', 'source        = "main"'),
        'release.source: "main" cannot be merged into itself.',
    ),
    "a branch that is an option": (
        ('source        = "staging"', 'source        = "--upload-pack=x"'),
        'release.source: "--upload-pack=x" cannot be the name of a branch.',
    ),
    "a path that leads out": (
        ('"services/queryBuilderService.js"', '"../services/queryBuilderService.js"'),
        'release.files[0]: "../services/queryBuilderService.js" is not a path inside the repository',
    ),
    "a file named twice": (
        ('"services/reportingService.js"', '"services/queryBuilderService.js"'),
        'release.files[1]: "services/queryBuilderService.js" is named twice.',
    ),
    "a commit that is none": (
        ('fix_commit    = "26c5a9f"', 'fix_commit    = "26c5a9g"'),
        'release.fix_commit: "26c5a9g" is not a commit: 7 to 40 hexadecimal digits.',
    ),
    "a message that keeps Render still": (
        ('"Merge staging:', '"[Skip Render] Merge staging:'),
        'release.merge_message: holds "[Skip Render]", which keeps Render from deploying the merge.',
    ),
    "the same the other way round": (
        ('"Merge staging:', '"Merge staging [deploy skip]:'),
        'release.merge_message: holds "[deploy skip]"',
    ),
    "a migration that is not released": (
        (
            'file              = "database/migrations/020_consolidate',
            'file              = "database/migrations/021_consolidate',
        ),
        'migration.file: "database/migrations/021_consolidate_account_status.sql" is not among the files',
    ),
    "a column removed and added": (
        ('added             = ["account_status"]', 'added             = ["account_status", "is_trial"]'),
        'migration.added[1]: "is_trial" is also among the removed columns.',
    ),
    "a view that stays and goes": (
        ("dropped_views     = []", 'dropped_views     = ["active_accounts"]'),
        'migration.dropped_views[0]: "active_accounts" is also among the views that stay.',
    ),
    "a key that goes away": (
        ('key               = "id"', 'key               = "is_trial"'),
        'migration.key: "is_trial" must be there before and afterwards.',
    ),
    "a mapping into a column that is not added": (
        ('target    = "account_status"', 'target    = "acount_status"'),
        'migration.mapping.target: "acount_status" is not among the added columns. Did you mean "account_status"?',
    ),
    "a copy over the original": (
        ('saved_copy        = "accounts_before_020"', 'saved_copy        = "accounts"'),
        "migration.saved_copy: must be another table than the one that is migrated.",
    ),
    "a result outside the domain": (
        ('{ value = "pending", becomes = "on_hold" }', '{ value = "pending", becomes = "onhold" }'),
        'migration.mapping.rules[1].becomes: "onhold" is not in the domain. Did you mean "on_hold"?',
    ),
    "an override outside the domain": (
        ('becomes = "cancelled" },\n]', 'becomes = "deleted" },\n]'),
        'migration.mapping.overrides[0].becomes: "deleted" is not in the domain.',
    ),
    "a promise outside the domain": (
        ('promised = "on_hold"', 'promised = "trial"'),
        'migration.claims[0].promised: "trial" is not in the domain.',
    ),
    "a value mapped twice": (
        ('{ value = "expired"', '{ value = "pending"'),
        'migration.mapping.rules[2].value: "pending" has a rule already.',
    ),
    "a way back from a value outside the domain": (
        ('on_hold   = "pending"', 'onhold    = "pending"'),
        'migration.inverse.onhold: "onhold" is not in the domain. Did you mean "on_hold"?',
    ),
    "a way back to a value that was never there": (
        ('on_hold   = "pending"', 'on_hold   = "pendig"'),
        'migration.inverse.on_hold: "pendig" is not an old value of the mapping. Did you mean "pending"?',
    ),
    "a way back to a number": (
        ('on_hold   = "pending"', "on_hold   = 3"),
        "migration.inverse.on_hold: must be text in quotes.",
    ),
    "a variable that cannot be one": (
        ('database_env = "DATABASE_URL"', 'database_env = "DATABASE-URL"'),
        'services[0].database_env: "DATABASE-URL" is not the name of an environment variable.',
    ),
    "a part of the rollback that does not exist": (
        ('part    = "database"', 'part    = "databse"'),
        'rollback[1].part: "databse" is not one of the words for it. Did you mean "database"?',
    ),
    "a turn that does not exist": (
        (MESSAGE, MESSAGE.replace("# ", "").replace('"declared"', '"declraed"')),
        'messages[0].turn: "declraed" is not one of the words for it. Did you mean "declared"?',
    ),
    "readers that do not exist": (
        ('# [journal]\n# directory   = "runs"\n# readable_by = "group"', '[journal]\nreadable_by = "grup"'),
        'journal.readable_by: "grup" is not one of the words for it. Did you mean "group"?',
    ),
    "a message that says nothing": (
        (MESSAGE, '[[messages]]\nturn = "closed"\nsubject = "Over"\ntext = "\\n"\n'),
        "messages[0].text: must not be empty.",
    ),
    "a message that names what nobody fills in": (
        (MESSAGE, '[[messages]]\nturn = "closed"\nsubject = "Over since {sinse}"\ntext = "It is over."\n'),
        "messages[0]: There is no placeholder {sinse}. Did you mean {since}?",
    ),
    "two messages for one turn": (
        (MESSAGE, 2 * MESSAGE.replace("# ", "")),
        'messages[1].turn: "declared" is already the turn of messages[0].',
    ),
    "a condition that is no SQL": (
        ("\"account_type = 'trial'\"", "\"account_type == = 'trial'\""),
        'migration.claims[0].where: is not SQL (syntax error at or near "=")',
    ),
    "a condition and more": (
        ('"is_trial"\npromised', '"is_trial) OR (true"\npromised'),
        "migration.claims[1].where: is not SQL",
    ),
    "a condition that hides what follows": (
        ('"is_trial"\npromised', '"is_trial -- really"\npromised'),
        "migration.claims[1].where: must not hold a comment",
    ),
    "a column that is SQL": (
        ('key               = "id"', 'key               = "id; DROP TABLE accounts"'),
        'migration.key: "id; DROP TABLE accounts" is not the name of a column.',
    ),
    "a query that writes": (
        ("SELECT count(*) AS outside FROM accounts", "DELETE FROM accounts"),
        "checks[6].queries[0].sql: must only read: a SELECT.",
    ),
    "a query that writes inside": (
        (
            "SELECT count(*) AS outside FROM accounts",
            "WITH gone AS (DELETE FROM accounts RETURNING 1) SELECT count(*) AS outside FROM accounts",
        ),
        "checks[6].queries[0].sql: must only read: no INSERT, UPDATE, DELETE or MERGE inside.",
    ),
    "a query that ends sessions": (
        ("SELECT count(*) AS outside FROM accounts", "SELECT pg_terminate_backend(1) FROM accounts"),
        "checks[6].queries[0].sql: must only read: pg_terminate_backend() acts.",
    ),
    "two queries in one": (
        (
            "expect = { outside = 0 }",
            'expect = { outside = 0 }\n[[checks.queries]]\nsql = "SELECT 1; SELECT 2"\nexpect = { a = 1 }',
        ),
        "checks[6].queries[1].sql: must be one statement; these are 2.",
    ),
    "a method that does not exist": (
        ('send = "GET /api/dashboard/kpis"', 'send = "GTE /api/dashboard/kpis"'),
        'checks[0].requests[1].send: "GTE" is not an HTTP method. Did you mean "GET"?',
    ),
    "a request to somewhere else": (
        ('send = "GET /api/dashboard/kpis"', 'send = "GET https://elsewhere.example.com/"'),
        'checks[0].requests[1].send: "GET https://elsewhere.example.com/" is not a request.',
    ),
    "a request to another host by its path": (
        ('send = "GET /api/dashboard/kpis"', 'send = "GET //elsewhere.example.com/"'),
        "is not a request.",
    ),
    "a request to no service": (
        (
            'service = "backend"\ntimeout = "10 s"\n\n  [[checks.requests]]\n  send   = "GET /health"',
            'timeout = "10 s"\n\n  [[checks.requests]]\n  send   = "GET /health"',
        ),
        "checks[0].requests[0]: names no `service`, and neither does its check.",
    ),
    "a check's service that does not exist": (
        ('release = "both"\nservice = "backend"', 'release = "both"\nservice = "backnd"'),
        'checks[0].service: "backnd" is not a service. Did you mean "backend"?',
    ),
    "a name that was never captured": (
        ('"POST /api/leads/{lead}/convert"', '"POST /api/leads/{led}/convert"'),
        'checks[1].requests[1].send: "{led}" is not known here. Did you mean "{lead}"?',
    ),
    "a name used before it is captured": (
        ('send    = "POST /api/leads"\n', 'send    = "POST /api/leads?of={account}"\n'),
        'checks[1].requests[0].send: "{account}" is not known here.',
    ),
    "a lookup of what nothing captures": (
        ('  lead    = "SELECT id FROM leads', '  leed    = "SELECT id FROM leads'),
        'checks[1].lookup.leed: "leed" is captured by no request of this check. Did you mean "lead"?',
    ),
    "a lookup without the marker": (
        ("SELECT id FROM leads WHERE company LIKE '{marker}%'", "SELECT id FROM leads"),
        "checks[1].lookup.lead: must tell the console's own rows by {marker}.",
    ),
    "leftovers by a captured name": (
        ("company LIKE '{marker}%')", "company LIKE '{marker}%' OR id = '{lead}')"),
        'checks[1].leftovers.sql: "{lead}" is not known here.',
    ),
    "leftovers without the marker": (
        (
            "SELECT count(*) AS leftovers FROM accounts WHERE name LIKE '{marker}%'",
            "SELECT count(*) AS leftovers FROM accounts",
        ),
        "checks[4].leftovers.sql: must tell the console's own rows by {marker}.",
    ),
    "a check that leaves what it made": (
        (FIRST_CLEANUP, ""),
        'checks[1]: "leads.convert" writes (POST), so it needs `cleanup`.',
    ),
    "a condition that does not exist": (
        ("totalAccounts  = { min = 1 }", "totalAccounts  = { mni = 1 }"),
        'checks[0].requests[1].expect.totalAccounts.mni: "mni" is not a condition. Did you mean "min"?',
    ),
    "a type that does not exist": (
        ('activeAccounts = { type = "number" }', 'activeAccounts = { type = "nubmer" }'),
        'expect.activeAccounts.type: "nubmer" is not a type. Did you mean "number"?',
    ),
    "a release that does not exist": (
        ('title   = "Dashboard KPIs load"\nrelease = "both"', 'title   = "Dashboard KPIs load"\nrelease = "bth"'),
        'checks[0].release: "bth" is not one of the words for it. Did you mean "both"?',
    ),
    "a status that is none": (
        ("status  = [201]", "status  = [2010]"),
        "checks[1].requests[0].status[0]: input should be less than or equal to 599.",
    ),
    "production on this machine": (
        ("https://crm-backend.onrender.com", "http://127.0.0.1:8000"),
        "services[0].url: leads to this machine, which is no place for production.",
    ),
    "production in clear": (
        ("https://crm-backend.onrender.com", "http://crm-backend.onrender.com"),
        "services[0].url: must begin with https://",
    ),
    "an address that is none": (
        ("https://crm-backend.onrender.com", "crm-backend.onrender.com"),
        'services[0].url: "crm-backend.onrender.com" is not an address',
    ),
    "a rehearsal elsewhere": (
        ('environment    = "production"', 'environment    = "rehearsal"'),
        'render.api_url: leads to "api.render.com": a rehearsal may only name this machine',
    ),
    "no place for the key": (
        ('token_env = "RENDER_API_KEY"\n', ""),
        "render: needs `token_env` (an environment variable) or `token_file`.",
    ),
    "two places for the key": (
        ('token_env = "RENDER_API_KEY"', 'token_env = "RENDER_API_KEY"\ntoken_file = "key"'),
        "render.token_file: cannot stand beside `token_env`: a secret has one source.",
    ),
    "a service id that is none": (
        ('"srv-d0examplebackend0000"', '"backend"'),
        'services[0].id: "backend" is not a service id',
    ),
    "a protection that does not exist": (
        ('tls         = "verify-full"', 'tls         = "verify-ful"'),
        'database.tls: "verify-ful" is not one of the words for it. Did you mean "verify-full"?',
    ),
    "a title over two lines": (
        ('title          = "Account Status Consolidation"', 'title          = "Account\\nStatus"'),
        "title: must be a single line without control characters.",
    ),
    "a title that acts on the terminal": (
        ('title          = "Account Status Consolidation"', 'title          = "\\u001b[2JGone"'),
        "title: must be a single line without control characters.",
    ),
}
