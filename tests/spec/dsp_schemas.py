"""The official JSON Schemas of the Dataspace Protocol, read from the folder of real data and never copied."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft201909Validator
from referencing import Registry, Resource

from tests.conftest import DATA

FOLDER = DATA / "conformance" / "dsp"
MISSING = f"no official schemas under {FOLDER}: set HUTONG_DATA"


@cache
def _registry() -> Registry[Any]:
    if not FOLDER.is_dir():
        pytest.skip(MISSING)
    resources = []
    for file in sorted(FOLDER.rglob("*-schema.json")):
        # Some references lack the slash of a JSON pointer ("#definitions/X"), which is no anchor of that schema.
        text = file.read_text(encoding="utf-8").replace("#definitions/", "#/definitions/")
        schema = json.loads(text)
        resources.append((schema["$id"], Resource.from_contents(schema)))
    return Registry().with_resources(resources)


@cache
def validator(name: str) -> Draft201909Validator:
    """The validator of one schema, named as its file is: `negotiation/contract-request-message`."""
    return Draft201909Validator({"$ref": f"https://w3id.org/dspace/2025/1/{name}-schema.json"}, registry=_registry())


def accepts(name: str, document: Any) -> bool:
    return bool(validator(name).is_valid(document))


def complaints(name: str, document: Any) -> list[str]:
    return [error.message for error in validator(name).iter_errors(document)]


def examples() -> list[tuple[str, Path]]:
    """(schema, example file) of each official example of a message we read."""
    found = []
    for file in sorted(FOLDER.glob("*/example/*.json")):
        if file.parent.parent.name == "catalog":
            continue
        name = file.stem.removesuffix("-full")
        found.append((f"{file.parent.parent.name}/{name}", file))
    return found
