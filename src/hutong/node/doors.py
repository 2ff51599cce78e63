"""The node's own addresses and the ledger's, for the OpenAPI document.

`python -m hutong.node.doors NODE_FOLDER` prints the whole document, for docs/openapi.json.
"""

from __future__ import annotations

import json
import sys

from hutong.node import openapi, settings
from hutong.node.openapi import (
    BYTES,
    COUNT,
    JSON,
    OBJECT,
    PROBLEM,
    TEXT,
    UUID,
    Answered,
    Given,
    Operation,
    closed,
    shape,
)

TEXTUAL = {"type": "string"}
NOTE = {"text/plain; charset=utf-8": TEXTUAL}
ORIGIN = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
JURISDICTION = {"type": "string", "pattern": "^[0-9A-Za-z-]{1,40}$"}
HEALTH = shape({"status": {"enum": ["ok", "draining"]}, "jurisdiction": JURISDICTION, "directory_version": COUNT})
EVENT = closed(
    {
        "specversion": {"const": "1.0"},
        "id": UUID,
        "type": TEXTUAL,
        "source": TEXTUAL,
        "data": OBJECT,
    },
    subject=TEXTUAL,
    time={"type": "string", "format": "date-time"},
    datacontenttype={"const": JSON},
)
DIRECTORY = shape({"document": OBJECT, "signature": TEXTUAL, "keyid": TEXTUAL})


def _node() -> tuple[Operation, ...]:
    return (
        Operation(
            "get", "/hutong/health", "node_health", "Whether the node runs, and which directory it holds.", "open",
            {200: Answered("It runs.", {JSON: HEALTH}), 503: Answered("It is being stopped.", {JSON: HEALTH})},
        ),
        Operation(
            "get", "/hutong/openapi.json", "openapi", "This document.", "open",
            {200: Answered("OpenAPI 3.1.", {JSON: OBJECT})},
        ),
        Operation(
            "get", "/metrics", "metrics", "What this server counts, for Prometheus.", "operator",
            {200: Answered("Prometheus' text form.", {TEXT: TEXTUAL})},
        ),
        Operation(
            "get", "/hutong/ping", "ping", "A signed round trip.", "member",
            {200: Answered("Signed.", {JSON: shape({"jurisdiction": JURISDICTION, "you": JURISDICTION})})},
        ),
        Operation(
            "get", "/hutong/directory", "directory", "The directory of members, signed by its keeper.", "open",
            {200: Answered("The newest copy.", {JSON: OBJECT})},
        ),
        Operation(
            "post", "/hutong/directory", "push_directory", "A newer directory, from its keeper.", "member",
            {200: Answered("Taken, or not newer.", {JSON: OBJECT})}, body=DIRECTORY,
        ),
        Operation(
            "post", "/hutong/join", "join", "Become a member, by an invitation.", "open",
            {200: Answered("The directory with the new member.", {JSON: OBJECT})},
            body=shape({"member": OBJECT, "proof": TEXTUAL}),
        ),
        Operation(
            "post", "/hutong/keys", "announce_key", "Announce a new key to the keeper of the directory.", "member",
            {200: Answered("Listed.", {JSON: OBJECT})}, body=OBJECT,
        ),
        Operation(
            "post", "/hutong/events", "events", "A CloudEvent of another node.", "member",
            {200: Answered("Acted on, once.", {JSON: OBJECT}), 202: Answered("Acted on, once.")}, body=EVENT,
        ),
    )  # fmt: skip


def _ledger() -> tuple[Operation, ...]:
    tile = Given("name", "path", "Level and place, as C2SP tlog-tiles writes them.", {"type": "string", "minLength": 1})
    return (
        Operation(
            "get", "/ledger/checkpoint", "checkpoint", "The newest signed checkpoint.", "open",
            {200: Answered("A C2SP signed note.", NOTE)},
        ),
        Operation(
            "get", "/ledger/checkpoint.witnessed", "witnessed_checkpoint",
            "The newest checkpoint that witnesses have cosigned.", "open", {200: Answered("A signed note.", NOTE)},
        ),
        Operation(
            "get", "/ledger/tile/{name}", "hash_tile", "A tile of hashes.", "open",
            {200: Answered("Hashes of 32 bytes.", {BYTES: {}})}, (tile,),
        ),
        Operation(
            "get", "/ledger/tile/entries/{name}", "entry_bundle", "A bundle of entries.", "member",
            {200: Answered("Entries, each after its length.", {BYTES: {}})}, (tile,),
        ),
        Operation(
            "get", "/ledger/exchanges", "receipts_with", "Receipts of exchanges with whoever asks.", "member",
            {200: Answered("A page of them.", {JSON: OBJECT})},
            (
                Given("with", "query", "The member who asks.", JURISDICTION),
                Given("after", "query", "The last entry already known.", {"type": "integer", "minimum": -1}),
                Given("limit", "query", "Most entries on the page.", {"type": "integer", "minimum": 1}),
            ),
        ),
        Operation(
            "post", "/ledger/witness/add-checkpoint", "add_checkpoint",
            "Have a checkpoint cosigned (C2SP tlog-witness).",
            "open", {200: Answered("The cosignature.", NOTE)}, body=TEXTUAL, body_media=TEXT,
            refusal_media=(PROBLEM, TEXT, "text/x.tlog.size"),
        ),
        Operation(
            "get", "/ledger/witness/{origin}/checkpoint", "witnessed_log", "What we cosigned last of another log.",
            "open", {200: Answered("A signed note.", NOTE)},
            (Given("origin", "path", "SHA-256 of the log's origin, hex.", ORIGIN),),
        ),
    )  # fmt: skip


def register() -> None:
    openapi.add(*_node(), *_ledger())


if __name__ == "__main__":
    settings.setup(sys.argv[1])
    sys.stdout.write(json.dumps(openapi.document(), ensure_ascii=False, indent=1) + "\n")
