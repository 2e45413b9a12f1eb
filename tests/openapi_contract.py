"""Holds requests and responses against the provider's own API description.

    contract = Contract.load()          # skips the test where the description is not at hand
    contract.check_request("GET", "/v1/services", "limit=5", None)
    contract.check_response("GET", "/v1/services", 200, [...])

Both raise `ContractViolation`, which names the operation, the place and the difference. Two things are read
more freely than the letter of the description has it, because no answer could satisfy the letter: several
`oneOf` whose branches overlap are taken as `anyOf` (and then held to the one branch that the object's own
`type` names), and the answers of the API's front door (401, 429 and 5xx) may come from any operation.
"""

import copy
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

import pytest
from jsonschema import validators
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

OPENAPI = Path(__file__).resolve().parents[2] / "shared" / "render" / "openapi.json"

_URN = "urn:render"
_OVERLAP = "x-overlapping"
_FRONT_DOOR = {401, 429, 500, 502, 503}
_EVENT_DETAILS = ("components", "schemas", "serviceEventWithCursor", "properties", "event", "properties")
_OVERLAPPING = (
    ("components", "schemas", "service", "properties", "serviceDetails"),
    ("components", "schemas", "servicePATCH", "properties", "serviceDetails"),
    ("components", "schemas", "envSpecificDetailsPATCH"),
    (*_EVENT_DETAILS, "details"),
)
_SERVICE_DETAILS = {"web_service": "webServiceDetails", "static_site": "staticSiteDetails"}


class ContractViolation(AssertionError):
    """A request or a response that the API description does not allow."""


class Contract:
    """The API description, ready to check against."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document: dict[str, Any] = copy.deepcopy(dict(document))
        for place in _OVERLAPPING:
            self._at(*place)[_OVERLAP] = True
        resource = Resource(contents=self._document, specification=DRAFT4)
        self._registry: Registry[Any] = Registry().with_resource(_URN, resource)
        self._paths = [(_path_pattern(path), path) for path in sorted(self._document["paths"], key=_generality)]

    @classmethod
    def load(cls, path: Path = OPENAPI) -> Self:
        """The contract, or a skipped test where the description is not at hand."""
        if not path.exists():
            pytest.skip(f"the provider's API description is not at {path}")
        return cls(json.loads(path.read_text()))

    def check_request(self, method: str, path: str, query: str = "", body: object = None) -> None:
        """Raise ContractViolation unless the API has this operation and takes these parameters and body."""
        operation, where = self._operation(method, path)
        self._check_query(where, [*self._parameters(path), *operation.get("parameters", [])], query)
        declared = self._resolved(operation.get("requestBody", {}))
        content = declared.get("content", {}).get("application/json")
        if body is None:
            if declared.get("required"):
                raise ContractViolation(f"{where}: a request body is required")
        elif content is None:
            raise ContractViolation(f"{where}: takes no request body")
        else:
            self._validate(where + " request", content["schema"], body)

    def check_response(self, method: str, path: str, status: int, body: object = None) -> None:
        """Raise ContractViolation unless the operation may be answered with this status and body.

        `body` is the parsed JSON, or None for an empty body.
        """
        operation, where = self._operation(method, path)
        where = f"{where} -> {status}"
        declared = self._resolved(operation["responses"].get(str(status), {}))
        if not declared and status not in _FRONT_DOOR:
            raise ContractViolation(f"{where}: not among the documented answers")
        if not declared:
            schema: Mapping[str, Any] | None = self._at("components", "schemas", "error")
        else:
            schema = declared.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            if body is not None:
                raise ContractViolation(f"{where}: must have no body")
            return
        if body is None:
            raise ContractViolation(f"{where}: has no body")
        self._validate(where, schema, body)
        if status >= 400 and not (isinstance(body, dict) and {"id", "message"} <= body.keys()):
            raise ContractViolation(f"{where}: an error says id and message")
        for item in _objects(body):
            self._check_typed(where, item)

    def check_recorded(self, line: Mapping[str, Any]) -> None:
        """Check one line of the stand-in's `api-requests.jsonl`; bodies that were left out are not checked.

        Requests that were refused are not held against the description: refusing them was right.
        """
        method, path = line["method"], line["path"]
        request, response, status = line["request"], line["response"], line["status"]
        if status is None or status < 400:
            self.check_request(method, path, line["query"], None if _omitted(request) else request)
        if status is not None and not _omitted(response):
            self.check_response(method, path, status, response)

    def _operation(self, method: str, path: str) -> tuple[Mapping[str, Any], str]:
        template = self._template(path)
        operations: Mapping[str, Any] = self._at("paths", template)
        if method.lower() not in operations:
            raise ContractViolation(f"{method} {template}: the API has no such operation")
        return operations[method.lower()], f"{method} {template}"

    def _template(self, path: str) -> str:
        short = path.removeprefix("/v1")
        for pattern, template in self._paths:
            if pattern.fullmatch(short):
                return template
        raise ContractViolation(f"{path}: the API has no such path")

    def _parameters(self, path: str) -> list[Mapping[str, Any]]:
        return list(self._at("paths", self._template(path)).get("parameters", []))

    def _check_query(self, where: str, parameters: Iterable[Mapping[str, Any]], query: str) -> None:
        given: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            given.setdefault(name, []).append(value)
        for reference in parameters:
            parameter = self._resolved(reference)
            if parameter["in"] != "query":
                continue
            texts = given.pop(parameter["name"], None)
            if texts is None:
                if parameter.get("required"):
                    raise ContractViolation(f"{where}: parameter {parameter['name']} is missing")
                continue
            schema = self._resolved(parameter["schema"])
            value = self._parsed(schema, texts, explode=parameter.get("explode", True))
            self._validate(f"{where} parameter {parameter['name']}", schema, value)
        if given:
            raise ContractViolation(f"{where}: unknown parameters {sorted(given)}")

    def _parsed(self, schema: Mapping[str, Any], texts: list[str], *, explode: bool) -> object:
        if schema.get("type") == "array":
            parts = texts if explode else [part for text in texts for part in text.split(",")]
            items = self._resolved(schema.get("items", {}))
            return [_scalar(items, part) for part in parts]
        if len(texts) > 1:
            # Described as scalars, but "when multiple … are provided, they are ORed together".
            for text in texts[1:]:
                self._validate("repeated parameter", schema, _scalar(schema, text))
        return _scalar(schema, texts[0])

    def _check_typed(self, where: str, item: Mapping[str, Any]) -> None:
        """Hold an object to the branch that its own `type` names."""
        if "serviceDetails" in item and item.get("type") in _SERVICE_DETAILS:
            name = _SERVICE_DETAILS[item["type"]]
            self._validate(where, {"$ref": f"#/components/schemas/{name}"}, item["serviceDetails"])
        if str(item.get("id", "")).startswith("evt-") and "details" in item:
            branches = self._at(*_EVENT_DETAILS, "details", "oneOf")
            titles = {branch["title"].lower().replace(" ", "_"): branch for branch in branches}
            self._validate(where, titles[item["type"]], item["details"])

    def _validate(self, where: str, schema: Mapping[str, Any], value: object) -> None:
        anchored = _anchored(schema)
        validator = _Validator(anchored, registry=self._registry, format_checker=oas30_format_checker)
        errors = sorted(validator.iter_errors(value), key=lambda error: list(error.absolute_path), reverse=True)
        if errors:
            place = "/".join(str(part) for part in errors[0].absolute_path) or "."
            raise ContractViolation(f"{where}: at {place}: {errors[0].message[:400]}")

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            node = self._registry.resolver(_URN).lookup(_URN + node["$ref"]).contents
        return node

    def _at(self, *keys: str) -> Any:
        node: Any = self._document
        for key in keys:
            node = node[key]
        return node


def _one_of(validator: Any, branches: Any, instance: object, schema: Mapping[str, Any]) -> Iterable[Any]:
    """`oneOf`, satisfied by any branch where the branches overlap."""
    rule = "anyOf" if schema.get(_OVERLAP) else "oneOf"
    return OAS30Validator.VALIDATORS[rule](validator, branches, instance, schema) or ()


_Validator: Any = validators.extend(OAS30Validator, {"oneOf": _one_of})


def _anchored(node: Any) -> Any:
    """A schema whose own references point into the document, wherever the schema stands now."""
    if isinstance(node, Mapping):
        return {
            key: _URN + value if key == "$ref" and str(value).startswith("#") else _anchored(value)
            for key, value in node.items()
        }
    return [_anchored(item) for item in node] if isinstance(node, list) else node


def _path_pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts))


def _generality(path: str) -> tuple[int, str]:
    return path.count("{"), path


def _scalar(schema: Mapping[str, Any], text: str) -> object:
    try:
        match schema.get("type"):
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}.get(text, text)
    except ValueError:
        return text
    return text


def _objects(value: object) -> Iterable[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _omitted(body: object) -> bool:
    return isinstance(body, dict) and set(body) == {"omitted"}
