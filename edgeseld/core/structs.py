"""Structs on disk: TOML and JSON with strict schemas, where a misspelt key is an error that names it."""

import difflib
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edgeseld.core.errors import ConfigError


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every struct on disk; subclasses repeat `frozen=True, kw_only=True` for the sake of type checkers."""


S = TypeVar("S", bound=msgspec.Struct)


def read_toml(path: Path, kind: type[S]) -> S:
    """Read a TOML file into `kind`; ConfigError names file, key and rule."""
    return _decode(path, kind, lambda content: msgspec.toml.decode(content, type=kind))


def read_json(path: Path, kind: type[S]) -> S:
    """Read a JSON file into `kind`; ConfigError names file, key and rule."""
    return _decode(path, kind, lambda content: msgspec.json.decode(content, type=kind))


def to_json(value: Any) -> bytes:
    """Deterministic, indented JSON with a final newline; field order is that of the struct."""
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"


def to_toml(value: msgspec.Struct) -> bytes:
    """TOML with every field spelt out; TOML has no null, so fields that are None are left to their default, None."""
    return msgspec.toml.encode(_without_none(msgspec.to_builtins(value)))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value


def _decode(path: Path, kind: type[S], decode: Any) -> S:
    try:
        result: S = decode(path.read_bytes())
        return result
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"{path}: {error}{_did_you_mean(str(error), kind)}") from error


def _did_you_mean(message: str, kind: type[msgspec.Struct]) -> str:
    unknown = re.search(r"unknown field `(.+?)`", message)
    if unknown is None:
        return ""
    close = difflib.get_close_matches(unknown.group(1), sorted(_field_names(kind)), n=1)
    return f"; did you mean {close[0]!r}?" if close else "; remove it or correct its spelling"


def _field_names(kind: type[msgspec.Struct]) -> set[str]:
    """Names of all fields in `kind` and in the structs below it."""
    names: set[str] = set()
    schema = msgspec.json.schema(kind)
    for definition in schema.get("$defs", {}).values():
        names |= set(definition.get("properties", {}))
    return names
