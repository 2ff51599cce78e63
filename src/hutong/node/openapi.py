"""The addresses that programs use, as an OpenAPI 3.1 document: GET /hutong/openapi.json.

Each part says its own in its `doors.py`, beside what answers there, and registers them. A test holds them against the
routes: an address that is served and not described, or described and not served, fails it. What is said of a body is
what the door takes; what the signature, the agreement or the law refuses is a problem document (RFC 9457).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Literal

from hutong.node import parts

JSON, PROBLEM, TEXT, BYTES = "application/json", "application/problem+json", "text/plain", "application/octet-stream"
Schema = Mapping[str, Any]
Method = Literal["get", "post", "put"]
Who = Literal["open", "member", "application", "operator"]

OBJECT: Schema = {"type": "object"}
UUID: Schema = {"type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
URN: Schema = {"type": "string", "pattern": "^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}
DIGEST: Schema = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def shape(required: Mapping[str, Schema], **further: Schema) -> Schema:
    """An object with these members, and further ones that may be there."""
    return {"type": "object", "required": list(required), "properties": {**required, **further}}


def closed(required: Mapping[str, Schema], **further: Schema) -> Schema:
    """The same, and no others."""
    return {**shape(required, **further), "additionalProperties": False}


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


@dataclass(frozen=True)
class Given:
    """A part of the address, of its query, or a header."""

    name: str
    where: Literal["path", "query", "header"]
    said: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    needed: bool = False


@dataclass(frozen=True)
class Answered:
    """What a success looks like."""

    said: str
    media: Mapping[str, Schema] = field(default_factory=dict)  # none: an empty body


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    method: Method
    path: str
    name: str  # unique: what generated clients call it
    said: str
    who: Who
    answers: Mapping[int, Answered]
    given: tuple[Given, ...] = ()
    body: Schema | None = None
    body_media: str = JSON
    refusal_media: tuple[str, ...] = (PROBLEM,)


_operations: list[Operation] = []
_SECURITY: Mapping[Who, list[dict[str, list[str]]]] = {
    "open": [],
    "member": [{"signature": []}],
    "application": [{"key": []}],
    "operator": [{"operator": []}],
}
_SCHEMES = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Signature",
        "description": "RFC 9421 by a key of the directory of members, profile hutong-1: docs/wire.md",
    },
    "key": {"type": "http", "scheme": "bearer", "description": "An application's key: hutong key create"},
    "operator": {"type": "http", "scheme": "bearer", "description": "operator_token of the node's settings"},
}
_PROBLEM: Schema = shape(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "title_zh": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
    },
    rule={"type": "string"},
    changed={"type": "string"},
    next={"type": "string"},
    next_zh={"type": "string"},
)


def add(*operations: Operation) -> None:
    """Have the document describe these."""
    _operations.extend(operations)


def operations() -> list[Operation]:
    """Every address that is described, in the order of the document."""
    parts.load()
    return sorted(_operations, key=lambda one: (one.path, one.method))


def document() -> dict[str, Any]:
    """OpenAPI 3.1, of this version of the program, the same on every node."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations():
        paths.setdefault(one.path, {})[one.method] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hutong 互通: a node",
            "version": version("hutong"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "What programs ask of a node: other nodes, applications of its departments, its operator.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"securitySchemes": _SCHEMES, "schemas": {"Problem": _PROBLEM}},
    }


def _operation(one: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": one.name, "summary": one.said, "security": _SECURITY[one.who]}
    if one.given:
        found["parameters"] = [_parameter(given) for given in one.given]
    if one.body is not None:
        found["requestBody"] = {"required": True, "content": {one.body_media: {"schema": one.body}}}
    found["responses"] = {str(status): _answer(answer) for status, answer in one.answers.items()}
    refusal = {media: {"schema": _refusal_schema(media)} for media in one.refusal_media}
    for statuses, said in (("4XX", "Refused; nothing was changed."), ("503", "Not now; try again.")):
        found["responses"].setdefault(statuses, {"description": said, "content": refusal})
    return found


def _refusal_schema(media: str) -> Schema:
    return {"$ref": "#/components/schemas/Problem"} if media == PROBLEM else {}


def _parameter(given: Given) -> dict[str, Any]:
    return {
        "name": given.name,
        "in": given.where,
        "description": given.said,
        "required": given.needed or given.where == "path",
        "schema": given.schema,
    }


def _answer(answer: Answered) -> dict[str, Any]:
    found: dict[str, Any] = {"description": answer.said}
    if answer.media:
        found["content"] = {media: {"schema": schema} for media, schema in answer.media.items()}
    return found
