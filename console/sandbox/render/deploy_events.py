"""The details of a deploy's events, as the API describes them."""

from typing import Literal

from console.sandbox.render.state import Deploy, DeployStatus, JsonObject

Outcome = Literal["succeeded", "failed", "canceled"]

# The deprecated numeric twin that the API still requires beside the outcome's name.
_NUMERIC: dict[Outcome, int] = {"succeeded": 2, "failed": 3, "canceled": 4}
_OUTCOMES: dict[DeployStatus, Outcome] = {"live": "succeeded", "canceled": "canceled"}


def build_started(deploy: Deploy) -> JsonObject:
    """Details of `build_started`."""
    return {"buildId": _build_id(deploy), "trigger": _trigger(deploy)}


def build_ended(deploy: Deploy, outcome: Outcome) -> JsonObject:
    """Details of `build_ended`."""
    reason: JsonObject = {} if outcome != "failed" else {"buildFailed": {"id": _build_id(deploy)}}
    return {
        "buildId": _build_id(deploy),
        "buildStatus": outcome,
        "status": _NUMERIC[outcome],
        "reason": reason,
    }


def deploy_started(deploy: Deploy) -> JsonObject:
    """Details of `deploy_started`."""
    return {"deployId": deploy.id, "trigger": _trigger(deploy)}


def ended(deploy: Deploy, *, while_building: bool) -> tuple[str, JsonObject]:
    """The event that tells how a deploy ended: its type and details."""
    outcome = _OUTCOMES.get(deploy.status, "failed")
    if while_building:
        return "build_ended", build_ended(deploy, outcome)
    details: JsonObject = {
        "deployId": deploy.id,
        "deployStatus": outcome,
        "status": _NUMERIC[outcome],
        "reason": {},
    }
    return "deploy_ended", details


def _build_id(deploy: Deploy) -> str:
    return (deploy.built_by or deploy.id).replace("dep-", "bld-", 1)


def _trigger(deploy: Deploy) -> JsonObject:
    trigger: JsonObject = {
        "firstBuild": deploy.initial,
        "envUpdated": False,
        "manual": deploy.trigger == "api",
        "deployedByRender": deploy.trigger == "deployed_by_render",
        "clearCache": False,
        "rollback": deploy.trigger == "rollback",
    }
    if deploy.trigger == "new_commit":
        trigger["newCommit"] = deploy.commit.id
    if deploy.trigger == "rollback" and deploy.built_by is not None:
        trigger["rollbackTargetDeployId"] = deploy.built_by
    return trigger
