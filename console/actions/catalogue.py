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

CATALOGUE = {spec.name: spec for spec in _SPECS}
