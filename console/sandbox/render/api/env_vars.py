"""Endpoints of environment variables. What they change takes effect with the next deploy, not before."""

import secrets
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict, Field, RootModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.sandbox.render.api.exchange import ApiError, not_found, page, read_body
from console.sandbox.render.api.services import service_of
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import JsonObject

_Pair: TypeAlias = tuple[str, str]


class ValueInput(BaseModel):
    """Schema `addUpdateEnvVarInput`: a value, or the wish to have one made up."""

    model_config = ConfigDict(hide_input_in_errors=True)

    value: str | None = Field(default=None, repr=False)
    generate: bool | None = Field(default=None, alias="generateValue")

    def resolved(self) -> str:
        """The value; 400 unless exactly one of the two was given."""
        if (self.value is None) == (self.generate is None):
            raise ApiError(400, "give either value or generateValue")
        return secrets.token_hex(32) if self.value is None else self.value


class KeyValueInput(ValueInput):
    """Schema `envVarInput`."""

    key: str = Field(min_length=1)


class _KeyValueInputs(RootModel[list[KeyValueInput]]):
    pass


class EnvVarsApi:
    """Reads and changes the variables of services."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        path = "/services/{service_id}/env-vars"
        return [
            Route(path, self.list_variables),
            Route(path, self.replace_variables, methods=["PUT"]),
            Route(path + "/{key}", self.get_variable),
            Route(path + "/{key}", self.put_variable, methods=["PUT"]),
            Route(path + "/{key}", self.delete_variable, methods=["DELETE"]),
        ]

    async def list_variables(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}/env-vars`."""
        return _listed(request, service_of(request, self._ledger).env)

    async def replace_variables(self, request: Request) -> JSONResponse:
        """`PUT /services/{serviceId}/env-vars`: these and no others."""
        service = service_of(request, self._ledger)
        inputs = (await read_body(request, _KeyValueInputs)).root
        service.env = {variable.key: variable.resolved() for variable in inputs}
        self._ledger.save()
        return _listed(request, service.env)

    async def get_variable(self, request: Request) -> JSONResponse:
        """`GET /services/{serviceId}/env-vars/{envVarKey}`."""
        env, key = service_of(request, self._ledger).env, request.path_params["key"]
        if key not in env:
            raise not_found("environment variable", key)
        return JSONResponse(_shown((key, env[key])))

    async def put_variable(self, request: Request) -> JSONResponse:
        """`PUT /services/{serviceId}/env-vars/{envVarKey}`."""
        service, key = service_of(request, self._ledger), request.path_params["key"]
        service.env[key] = (await read_body(request, ValueInput)).resolved()
        self._ledger.save()
        return JSONResponse(_shown((key, service.env[key])))

    async def delete_variable(self, request: Request) -> Response:
        """`DELETE /services/{serviceId}/env-vars/{envVarKey}`."""
        env, key = service_of(request, self._ledger).env, request.path_params["key"]
        if key not in env:
            raise not_found("environment variable", key)
        del env[key]
        self._ledger.save()
        return Response(status_code=204)


def _listed(request: Request, env: dict[str, str]) -> JSONResponse:
    return page(request, env.items(), lambda pair: pair[0], "envVar", _shown)


def _shown(pair: _Pair) -> JsonObject:
    return {"key": pair[0], "value": pair[1]}
