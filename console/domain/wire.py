"""The domain's dataclasses as plain JSON, and back: plans, previews, evidence, events.

What always holds: `decode(type(x), encode(x)) == x`; unknown keys are ignored and missing ones take the
dataclass's default, so that an old journal replays under a new console. A plan is written with every field,
so that a default that changes later does not change a plan that was frozen before.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import TypeVar, Union, cast, get_args, get_origin

from console.domain.events import VERSION, Event, Kind
from console.domain.outcome import Evidence, Line, Preview
from console.domain.plan import Json, Plan

T = TypeVar("T")

GENESIS = "0" * 64
"""What the first line of a journal names as its predecessor."""


class WireError(ValueError):
    """JSON that is not what it should be: names the class and the key."""


def encode(value: object, *, sparse: bool = True) -> Json:
    """A dataclass, enum, tuple or mapping as plain JSON; `sparse` leaves out fields that hold their default."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [encode(item, sparse=sparse) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item, sparse=sparse) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((name, default, getattr(value, name)) for name, default in _defaults(type(value)))
        return {name: encode(item, sparse=sparse) for name, default, item in pairs if not (sparse and item == default)}
    raise WireError(f"{type(value).__name__} has no place in the record")


def decode(kind: type[T], value: Json) -> T:
    """The dataclass `kind` from its JSON. Raises WireError."""
    return cast(T, _dataclass_decoder(cast(type, kind))(value))


def encode_preview(preview: Preview) -> dict[str, Json]:
    """A preview for the data of `step.previewed`."""
    return cast(dict[str, Json], encode(preview))


def decode_preview(value: Json) -> Preview:
    """The preview of a `step.previewed`."""
    return decode(Preview, value)


def encode_evidence(evidence: Evidence) -> dict[str, Json]:
    """Evidence for the data of `step.succeeded`."""
    return cast(dict[str, Json], encode(evidence))


def decode_evidence(value: Json) -> Evidence:
    """The evidence of a `step.succeeded`."""
    return decode(Evidence, value)


def encode_lines(lines: tuple[Line, ...]) -> list[Json]:
    """Lines for the data of an event."""
    return [encode(line) for line in lines]


def decode_lines(value: Json) -> tuple[Line, ...]:
    """Lines from the data of an event; none when the data hold none."""
    return tuple(decode(Line, item) for item in value) if isinstance(value, list) else ()


def encode_plan(plan: Plan) -> str:
    """The frozen plan as the text of `plan.json`: every field, indented, keys in the plan's order."""
    return json.dumps(encode(plan, sparse=False), ensure_ascii=False, indent=1) + "\n"


def decode_plan(source: str) -> Plan:
    """The plan that `plan.json` holds. Raises WireError."""
    try:
        value = json.loads(source)
    except ValueError as error:
        raise WireError(f"plan.json is not JSON: {error}") from error
    return decode(Plan, value)


def plan_digest(plan: Plan) -> str:
    """SHA-256 of everything the plan says, as hex."""
    return _digest(encode(plan, sparse=False))


def frozen_digest(source: str) -> str:
    """The digest of the plan that a `plan.json` holds, also when its console knew fewer fields. Raises WireError."""
    try:
        return _digest(json.loads(source))
    except ValueError as error:
        raise WireError(f"plan.json is not JSON: {error}") from error


def encode_event(event: Event, prev: str) -> bytes:
    """One line of the journal, without its newline. `prev` is the digest of the line before."""
    line = {
        "seq": event.seq,
        "at": format_time(event.at),
        "run": event.run,
        "actor": event.actor,
        "kind": event.kind.value,
        "step": event.step,
        "data": event.data,
        "v": event.version,
        "prev": prev,
    }
    # A lone surrogate (bytes of a foreign log that were no UTF-8) becomes a JSON escape and reads back as itself.
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def decode_event(line: bytes) -> tuple[Event, str]:
    """The event of a journal's line and the digest that it names as its predecessor's. Raises WireError."""
    try:
        raw = json.loads(line.decode())  # spares the guess at an encoding: a tenth of reading a journal
        version = raw.get("v", VERSION)
        if version > VERSION:
            raise WireError(f"written by a newer console (format {version}, this one reads up to {VERSION})")
        event = Event(
            seq=_of(int, raw["seq"]),
            at=parse_time(raw["at"]),
            run=_of(str, raw["run"]),
            actor=_of(str, raw["actor"]),
            kind=_KINDS[raw["kind"]],
            step=None if raw.get("step") is None else _of(str, raw["step"]),
            data=_of(dict, raw.get("data") or {}),
            version=version,
        )
        return event, _of(str, raw["prev"])
    except WireError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"not a line of a journal ({type(error).__name__}: {error})") from error


def line_digest(line: bytes) -> str:
    """What the next line of the journal names as `prev`: SHA-256 of this line without its newline, as hex."""
    return hashlib.sha256(line).hexdigest()


def format_time(moment: datetime) -> str:
    """A UTC time as the journal writes it, to the millisecond: `2026-02-04T20:14:03.118Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_time(value: object) -> datetime:
    """A time as the journal writes it. Raises ValueError when it has no zone: such times cannot be compared."""
    moment = datetime.fromisoformat(_of(str, value))
    if moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return moment


def _of(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


_KINDS = {kind.value: kind for kind in Kind}

_Decoder = Callable[[Json], object]


def _digest(value: Json) -> str:
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode(errors="backslashreplace")).hexdigest()


@cache
def _defaults(kind: type) -> tuple[tuple[str, object], ...]:
    """Every field of a dataclass with its default (MISSING where it has none)."""
    return tuple(
        (field.name, field.default if field.default_factory is MISSING else field.default_factory())
        for field in fields(kind)
    )


@cache
def _dataclass_decoder(kind: type) -> _Decoder:
    """A function that makes `kind` from its JSON; built once a class."""
    decoders = [(field.name, _decoder(field.type)) for field in fields(kind)]

    def run(value: Json) -> object:
        if not isinstance(value, dict):
            raise WireError(f"{kind.__name__} must be an object, not {type(value).__name__}")
        known = {}
        for name, decoder in decoders:
            if name in value:
                try:
                    known[name] = decoder(value[name])
                except (WireError, TypeError, ValueError) as error:
                    raise WireError(f"{kind.__name__}.{name}: {error}") from error
        try:
            return kind(**known)
        except TypeError as error:
            raise WireError(f"{kind.__name__}: {error}") from error

    return run


def _decoder(hint: object) -> _Decoder:
    """A function that makes a field's value from its JSON."""
    if hint == Json or hint in (str, bool, int):
        return _as_it_is
    if hint is float:
        return _as_float
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return cast(_Decoder, hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: _dataclass_decoder(hint)(value)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is tuple:
        item = _decoder(arguments[0])
        return lambda value: tuple(item(each) for each in _list(value))
    if origin in (UnionType, Union) and len(arguments) == 2 and type(None) in arguments:
        inner = _decoder(next(each for each in arguments if each is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is not None and issubclass(origin, Mapping):
        item = _decoder(arguments[1])
        return lambda value: {key: item(each) for key, each in _object(value).items()}
    raise TypeError(f"no decoder for {hint!r}")


def _as_it_is(value: Json) -> object:
    return value


def _as_float(value: Json) -> object:
    if isinstance(value, int | float):
        return float(value)
    raise WireError(f"must be a number, not {value!r}")


def _list(value: Json) -> list[Json]:
    if isinstance(value, list):
        return value
    raise WireError(f"must be a list, not {type(value).__name__}")


def _object(value: Json) -> dict[str, Json]:
    if isinstance(value, dict):
        return value
    raise WireError(f"must be an object, not {type(value).__name__}")
