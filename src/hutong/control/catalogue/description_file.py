"""A description as a file that an officer edits: TOML with the choices beside each field, or JSON.

Both hold the fields of the resource, and under `items` one table for each item. What is in the file replaces what is
in the node when it is read back; an item taken out of the file is taken out of the resource.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hutong.control.catalogue.fields import ITEM_FIELDS, RESOURCE_FIELDS, Field
from hutong.control.catalogue.models import Item, Resource
from hutong.vocabulary.codes import PURPOSES, CodeList
from hutong.vocabulary.errors import BadInput, TooLarge

LARGEST_FILE = 4 * 1024 * 1024
_COMMENTED = 20  # a code list longer than this is not repeated beside its field


def write(file: Path, resource: Resource, items: Sequence[Item]) -> None:
    """Write the description; the file's suffix decides the form: .json, anything else is TOML."""
    description = document(resource, items)
    if file.suffix == ".json":
        text = json.dumps(description, ensure_ascii=False, indent=2) + "\n"
    else:
        text = "\n".join(_toml(resource, description)) + "\n"
    file.write_text(text, encoding="utf-8")


def read(file: Path) -> tuple[dict[str, Any], list[dict[str, Any]] | None]:
    """The fields and the items in a file, not yet checked; items None where the file has none.

    raises   BadInput, TooLarge
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise BadInput(reason=f"the file {file.name} cannot be read", reason_zh=f"文件 {file.name} 无法读取") from error
    if len(content) > LARGEST_FILE:
        raise TooLarge(limit=LARGEST_FILE)
    try:
        text = content.decode("utf-8-sig")
        given = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        form = "JSON" if file.suffix == ".json" else "TOML"
        raise BadInput(
            reason=f"{file.name} is not {form}: {error}", reason_zh=f"{file.name} 不是 {form}（{error}）"
        ) from error
    if not isinstance(given, dict):
        raise BadInput(reason=f"{file.name} holds no description", reason_zh=f"{file.name} 中没有目录描述")
    items = given.pop("items", None)
    return given, items


def document(resource: Resource, items: Sequence[Item]) -> dict[str, Any]:
    """The whole description as plain values."""
    fields = {name: getattr(resource, name) for name in RESOURCE_FIELDS}
    return fields | {"items": [_item(item) for item in items]}


def _item(item: Item) -> dict[str, Any]:
    fixed = {"name": item.name, "type": item.type}
    return fixed | {name: getattr(item, name) for name in ITEM_FIELDS}


def _toml(resource: Resource, description: dict[str, Any]) -> Iterator[str]:
    yield f"# {resource.department.name_zh}: resource {resource.id}"
    yield "# Edit, then: hutong resource describe DIR ID --file THIS"
    for field in RESOURCE_FIELDS.values():
        yield ""
        yield from _comments(field)
        yield f"{field.name} = {_value(description[field.name])}"
    for item in description["items"]:
        yield "\n[[items]]"
        for name, value in item.items():
            yield f"{name} = {_value(value)}"


def _comments(field: Field) -> Iterator[str]:
    yield f"# {field.zh} / {field.en}{' (required)' if field.required else ''}"
    choices: CodeList | None = field.codes
    if choices is not None and (len(choices) <= _COMMENTED or choices is PURPOSES):
        yield "#   " + "; ".join(f"{one.code} {one.zh}" for one in choices)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    # A JSON string, number or boolean is a TOML one; control characters never reach a description.
    return json.dumps(value, ensure_ascii=False)
