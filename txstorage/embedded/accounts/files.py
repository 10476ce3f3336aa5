# -*- test-case-name: tests.embedded.accounts.test_declarations -*-
"""Users as the operator declares them in a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft4Validator, ValidationError

from ..._support.notations.yaml_keys import load_unique
from .declarations import NAME, NAME_RULE, Declaration, InvalidAccounts, nearest_name, roles_of
from .roles import IMPLIED

_ROLES = {
    "type": ["string", "array"],
    "items": {"type": "string", "enum": list(IMPLIED)},
    "minItems": 1,
}
_USER = {
    "type": "object",
    "properties": {
        "password_file": {"type": "string", "minLength": 1},
        "projects": {
            "type": "object",
            "minProperties": 1,
            "patternProperties": {rf"\A{NAME}\Z": _ROLES},
            "additionalProperties": False,
        },
    },
    "required": ["projects"],
    "additionalProperties": False,
}
_SCHEMA = {
    "type": "object",
    "properties": {
        "users": {
            "type": "object",
            "patternProperties": {rf"\A{NAME}\Z": _USER},
            "additionalProperties": False,
        }
    },
    "required": ["users"],
    "additionalProperties": False,
}


_KINDS = {"object": "a mapping", "array": "a list", "string": "text"}
_FOUND = (
    (dict, "a mapping"),
    (list, "a list"),
    (str, "text"),
    (bool, "true or false"),
    ((int, float), "a number"),
)


def read_file(path: str) -> list[Declaration]:
    """
    Read the users of a YAML file.

    :raises InvalidAccounts: the file can't be read, or its content is wrong.
    """
    try:
        with open(path, encoding="utf-8") as opened:
            found = load_unique(opened)
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InvalidAccounts(f"can't read {path}: {reason}") from error
    for key in _names(found):
        if not isinstance(key, str):
            # YAML's numbers, and words such as yes.
            raise InvalidAccounts(
                f"{path}: put the name {key!r} in quotation marks: it is not text"
            )
    wrong = sorted(Draft4Validator(_SCHEMA).iter_errors(found), key=_importance)
    if wrong:
        raise InvalidAccounts(f"{path}: {_explained(wrong[0])}")
    try:
        return [_declared(path, name, user) for name, user in found["users"].items()]
    except InvalidAccounts as problem:
        raise InvalidAccounts(f"{path}: {problem}") from problem


def _names(document: object) -> Iterator[object]:
    """All keys of the mappings in a document."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield key
            yield from _names(value)


def _importance(error: ValidationError) -> bool:
    # A wrong name explains why the right one is missing.
    return error.validator != "additionalProperties"


def _explained(error: ValidationError) -> str:
    where = ".".join(str(each) for each in error.absolute_path)
    place = f"{where}: " if where else ""
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        known = schema.get("properties", {})
        patterns = schema.get("patternProperties", {})
        unknown = next(
            name
            for name in instance
            if name not in known and not any(re.search(each, str(name)) for each in patterns)
        )
        if not known:
            return f"{place}{unknown!r} can't be a name: {NAME_RULE}"
        return f"{place}there is no key {unknown!r}{nearest_name(unknown, known)}"
    if error.validator == "enum":
        return f"{place}there is no role {instance!r}{nearest_name(instance, IMPLIED)}"
    # The messages of jsonschema contain values, which may be passwords at a wrong place.
    if error.validator == "required":
        missing = next(name for name in schema["required"] if name not in instance)
        return f"{place}the key {missing!r} is missing"
    if error.validator == "type":
        expected = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        kinds = " or ".join(_KINDS[each] for each in expected)
        return f"{place}expected {kinds}, found {_kind(instance)}"
    return f"{where or 'the file'} is empty"


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    return next((name for kind, name in _FOUND if isinstance(value, kind)), "another value")


def _declared(path: str, name: str, user: Mapping[str, Any]) -> Declaration:
    roles = {}
    for project, given in user["projects"].items():
        try:
            roles[project] = roles_of([given] if isinstance(given, str) else given)
        except InvalidAccounts as problem:
            raise InvalidAccounts(f"users.{name}.projects.{project}: {problem}") from problem
    file = user.get("password_file")
    if file is not None:
        # As from the file's own directory.
        file = os.path.join(os.path.dirname(os.path.abspath(path)), file)
    return Declaration(name, roles, file)


__all__ = ["read_file"]
