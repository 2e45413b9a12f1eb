"""The names by which a plan calls the actions, what they take, and how strongly they must be confirmed."""

from console.domain.catalogue import ActionSpec, Param, ParamType
from console.domain.plan import Strength

_SPECS = (
    ActionSpec("backup.export", "ask the provider for a logical backup and wait until it is ready"),
    ActionSpec("backup.verify", "download the backup, restore it into a scratch server, compare the counts"),
    ActionSpec("backup.record", "state the backup's size, place and time, and that the copy is still intact"),
    ActionSpec(
        "source.deployed",
        "the fix commit is on the environment's branch and in what its services run",
        params={"environment": Param(ParamType.ENVIRONMENT)},
    ),
    ActionSpec("source.content", "the release changes exactly the files that the plan declares"),
    ActionSpec("source.merge", "make the merge commit in the console's own clone", least=Strength.ASK),
    ActionSpec("source.push", "push the merge commit to the target branch", destructive=True, least=Strength.TYPE),
    ActionSpec(
        "build.follow",
        "follow the deploy of the merge commit until it is live",
        params={"service": Param(ParamType.SERVICE)},
    ),
    ActionSpec("migrate.connect", "connect to the database: who answers, as whom, how protected"),
    ActionSpec("migrate.run", "run the migration in one transaction", destructive=True, least=Strength.TYPE),
    ActionSpec("verify.schema", "columns, indexes, views and history are as the plan wants them"),
    ActionSpec("verify.integrity", "every row follows the mapping; nothing is NULL or outside the domain"),
    ActionSpec("verify.orphans", "nothing in the catalog, in functions or in deployed code names a dropped column"),
    ActionSpec(
        "checks.run", "run declared checks against the running services", params={"checks": Param(ParamType.CHECKS)}
    ),
    ActionSpec("logs.schema_errors", "no schema error in any service's log since the migration"),
    ActionSpec("monitor.baseline", "sample error rates, latency and activity before the release"),
    ActionSpec("monitor.logs", "watch the logs for the whole window"),
    ActionSpec("monitor.errors", "watch error rates and latency for the whole window"),
    ActionSpec("monitor.activity", "watch that users are active for the whole window"),
    ActionSpec("monitor.database", "watch connections, locks and slow queries for the whole window"),
)

_BACK = (
    ActionSpec("rollback.hold_deploys", "switch autodeploy off on every service, its setting recorded first"),
    ActionSpec(
        "rollback.revert",
        "make the revert in the console's own clone and compare its tree with the one from before",
        params={"scope": Param(ParamType.TEXT)},
    ),
    ActionSpec("rollback.push", "push the revert to the target branch", destructive=True, least=Strength.TYPE),
    ActionSpec(
        "rollback.previous_build",
        "have the provider serve the previous build of every service",
        destructive=True,
        least=Strength.ASK,
    ),
    ActionSpec(
        "rollback.deploy",
        "deploy the revert by commit and follow it until it is live",
        params={"service": Param(ParamType.SERVICE)},
    ),
    ActionSpec("rollback.restore_deploys", "set autodeploy as it was, and see that nothing is redeployed"),
    ActionSpec(
        "rollback.schema",
        "build back what the migration dropped, in one transaction",
        destructive=True,
        least=Strength.TYPE,
    ),
    ActionSpec("rollback.discard_copy", "remove the saved copy", destructive=True, least=Strength.TYPE),
    ActionSpec(
        "rollback.fence", "fence off writes, then count what would be lost", destructive=True, least=Strength.ASK
    ),
    ActionSpec(
        "rollback.recover",
        "recover or restore an earlier state into a new instance",
        destructive=True,
        least=Strength.TYPE,
        params={"from": Param(ParamType.TEXT)},
    ),
    ActionSpec(
        "rollback.compare",
        "compare the new instance's rows with the backup's counts",
        params={"from": Param(ParamType.TEXT)},
    ),
    ActionSpec("rollback.switch", "point the services at the new instance", destructive=True, least=Strength.TYPE),
    ActionSpec("rollback.database_in_use", "prove which database each service talks to"),
    ActionSpec("rollback.open", "let users in again"),
    ActionSpec("rollback.prove", "hold production against what it was before the release"),
    ActionSpec(
        "rollback.reapply_branch", "push a branch that reverts the revert", destructive=True, least=Strength.ASK
    ),
    ActionSpec("communicate.stakeholders", "state who was told what, and what did not arrive"),
    ActionSpec("communicate.papers", "write incident summary and post-mortem"),
)

CATALOGUE = {spec.name: spec for spec in _SPECS}
"""What a plan may name."""

ROLLBACK_CATALOGUE = {spec.name: spec for spec in _BACK}
"""What the steps of a way back are made of (`console.domain.rollback_plan`)."""
