"""Mistakes in steps, timeline, criteria and sign-offs: what is written for what, and what the refusal says."""

MISTAKES = {
    "an action that does not exist": (
        ('"source.push"', '"souce.push"'),
        'steps[9].action: "souce.push" is not an action. Did you mean "source.push"?',
    ),
    "an unknown phase": (
        ('phase  = "pre"', 'phase  = "per"'),
        'steps[0].phase: "per" is not a phase. Did you mean "pre"?',
    ),
    "an unknown step in after": (
        ('after   = ["code.push"]', 'after   = ["code.puhs"]'),
        'steps[10].after[0]: "code.puhs" is not a step. Did you mean "code.push"?',
    ),
    "an unknown guard": (
        ('guards  = ["backup.export"]', 'guards  = ["backup.exprot"]'),
        'steps[3].guards[0]: "backup.exprot" is not a step. Did you mean "backup.export"?',
    ),
    "an unknown step to reopen": (
        ('reopens = ["code.merge"]', 'reopens = ["code.mereg"]'),
        'steps[9].reopens[0]: "code.mereg" is not a step. Did you mean "code.merge"?',
    ),
    "a step that waits for itself": (
        ('after   = ["code.push"]', 'after   = ["code.backend"]'),
        'steps[10].after[0]: "code.backend" cannot name itself.',
    ),
    "a circle": (
        (
            'phase   = "backup"\naction  = "backup.export"',
            'phase   = "backup"\nafter = ["code.push"]\naction  = "backup.export"',
        ),
        "steps wait for each other in a circle: ",
    ),
    "a guard that comes later": (
        ('guards  = ["backup.export"]', 'guards  = ["db.connect"]'),
        'steps[3].guards[0]: "db.connect" does not come before "backup.verify": nothing in `after` leads to it.',
    ),
    "a guard that runs beside": (
        (
            'with    = { service = "frontend" }\nafter   = ["code.push"]\nguards  = ["code.push"]',
            'with    = { service = "frontend" }\nafter   = ["code.push"]\nguards  = ["code.backend"]',
        ),
        'steps[11].guards[0]: "code.backend" does not come before "code.frontend"',
    ),
    "an id twice": (
        ('id      = "code.staging"', 'id      = "code.devtest"'),
        'steps[6].id: "code.devtest" is already the id of steps[5].',
    ),
    "a service key twice": (
        ('key          = "frontend"', 'key          = "backend"'),
        'services[1].key: "backend" is already the key of services[0].',
    ),
    "a step without anything that completes it": (
        ('action = "monitor.baseline"\n', ""),
        'steps[0]: "baseline" needs an `action`, a `role` that signs, or `manual = true`.',
    ),
    "a step with two ways to complete it": (
        ('role  = "owner"\nafter', 'role  = "owner"\nmanual = true\nafter'),
        "steps[27].manual: cannot stand beside `role`",
    ),
    "a confirmation of nothing": (
        ('role  = "owner"\nafter', 'role  = "owner"\nconfirm = "ask"\nafter'),
        "steps[27].confirm: belongs to a step with an `action`.",
    ),
    "a push that nobody confirms": (
        ('confirm = "type"\nphrase  = "main"\n', ""),
        'steps[9]: "code.push" needs `confirm = "type"`: it changes production.',
    ),
    "a push that is only asked for": (
        ('confirm = "type"\nphrase  = "main"\n', 'confirm = "ask"\n'),
        'steps[9].confirm: "code.push" needs `confirm = "type"`: it changes production.',
    ),
    "a merge without a question": (
        ('confirm = "ask"\n', ""),
        'steps[8]: "code.merge" needs `confirm = "ask"`: its action asks for it.',
    ),
    "a strength that does not exist": (
        ('confirm = "ask"', 'confirm = "aks"'),
        'steps[8].confirm: "aks" is not one of the words for it. Did you mean "ask"?',
    ),
    "nothing to type": (('phrase  = "main"\n', ""), 'steps[9].confirm: "type" needs a `phrase`: what has to be typed.'),
    "an empty phrase": (('phrase  = "main"', 'phrase  = ""'), "steps[9].phrase: must not be empty."),
    "a phrase that names nothing": (
        ('phrase  = "main"', 'phrase  = "mian"'),
        'steps[9].phrase: "mian" is not the name of a branch, a database or a service of this plan.',
    ),
    "a phrase for a question": (
        ('confirm = "ask"', 'confirm = "ask"\nphrase = "main"'),
        'steps[8].phrase: is typed only where `confirm = "type"`.',
    ),
    "a parameter too few": (
        ('with    = { environment = "devtest" }\n', ""),
        'steps[5]: "source.deployed" needs `with = { environment = … }`.',
    ),
    "a parameter misspelt": (
        ('with    = { environment = "devtest" }', 'with    = { enviroment = "devtest" }'),
        'steps[5].with.enviroment: "enviroment" is not something that "source.deployed" takes.',
    ),
    "a parameter for an action that takes none": (
        ('action = "monitor.baseline"', 'action = "monitor.baseline"\nwith = { window = "3 s" }'),
        'steps[0].with.window: "window" is not known: "monitor.baseline" takes nothing.',
    ),
    "a service that does not exist": (
        ('with    = { service = "backend" }', 'with    = { service = "bakend" }'),
        'steps[10].with.service: "bakend" is not a service. Did you mean "backend"?',
    ),
    "an environment without services": (
        ('with    = { environment = "staging" }', 'with    = { environment = "stagin" }'),
        'steps[6].with.environment: "stagin" is not an environment with services. Did you mean "staging"?',
    ),
    "a check that does not exist": (
        ('"dashboard.kpis", "leads.convert"', '"dashboard.kpi", "leads.convert"'),
        'steps[1].with.checks[0]: "dashboard.kpi" is not a check. Did you mean "dashboard.kpis"?',
    ),
    "checks that are no list": (
        ('with    = { checks = ["dashboard.kpis"] }', 'with    = { checks = "dashboard.kpis" }'),
        "steps[17].with.checks: must be a list of check ids.",
    ),
    "a check of the new release before it": (
        ('"fields.mapping", "accounts.life"', '"fields.new", "accounts.life"'),
        'steps[1].with.checks[2]: "fields.new" is a check of the new release, and "checks.before" runs before',
    ),
    "a check of the old release after it": (
        (
            'title   = "Every stored status is one of the five"\nrelease = "new"',
            'title   = "Every stored status is one of the five"\nrelease = "old"',
        ),
        '"accounts.stored" is a check of the old release, and "test.accounts" runs after the push.',
    ),
    "a timeline row of no step": (
        ('steps   = ["code.backend"]', 'steps   = ["code.bakcend"]'),
        'timeline[2].steps[0]: "code.bakcend" is not a step. Did you mean "code.backend"?',
    ),
    "a criterion that nothing proves": (
        ('proven_by = ["db.orphans"]', "proven_by = []"),
        "criteria[5].proven_by: must not be empty.",
    ),
    "a criterion proven by no step": (
        ('proven_by = ["db.orphans"]', 'proven_by = ["db.orphan"]'),
        'criteria[5].proven_by[0]: "db.orphan" is not a step. Did you mean "db.orphans"?',
    ),
    "a role that nobody has": (
        ('phase = "signoff"\nrole  = "qa"', 'phase = "signoff"\nrole  = "qaa"'),
        'steps[29].role: "qaa" is not a role that signs. Did you mean "qa"?',
    ),
    "a signature without a step": (
        ('[[signoffs]]\nrole  = "owner"', '[[signoffs]]\nrole = "cto"\ntitle = "CTO"\n\n[[signoffs]]\nrole  = "owner"'),
        'signoffs[0].role: no step is signed by "cto", yet it is required.',
    ),
    "a login of no shared record": (
        ('role  = "qa"\ntitle = "QA Lead"', 'role  = "qa"\ntitle = "QA Lead"\nlogin = "grace"'),
        "signoffs[2].login: is a login of the shared record, which this plan has not",
    ),
    "a login twice": (
        (
            'role  = "devops"\ntitle = "DevOps/Render Admin"\n\n[[signoffs]]\nrole  = "qa"\ntitle = "QA Lead"',
            'role  = "devops"\ntitle = "DevOps/Render Admin"\nlogin = "sam"\n\n'
            '[[signoffs]]\nrole  = "qa"\ntitle = "QA Lead"\nlogin = "sam"',
        ),
        'signoffs[2].login: "sam" signs already for signoffs[1].',
    ),
}
