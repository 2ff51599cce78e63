"""The exchange's addresses, for the OpenAPI document."""

from __future__ import annotations

from hutong.exchange import formats
from hutong.exchange.asking import FILES_SUFFIX, LONGEST_CASE, PREFIX, SUFFIX
from hutong.exchange.downloads import FETCHED, FILES
from hutong.exchange.query import ITEMS_PER_QUERY, KEYS_PER_QUERY, QUERIES_PER_MESSAGE
from hutong.exchange.sharing import doors as sharing
from hutong.exchange.subscriptions.pushing import PATH
from hutong.exchange.subscriptions.taking import LONGEST_WAIT_S, MOST_AT_ONCE, NDJSON
from hutong.exchange.subscriptions.taking import SUFFIX as EVENTS
from hutong.exchange.wire import ANSWERS_TYPE
from hutong.node import openapi
from hutong.node.openapi import (
    BYTES,
    COUNT,
    DIGEST,
    JSON,
    OBJECT,
    URN,
    UUID,
    Answered,
    Given,
    Operation,
    closed,
    listed,
    shape,
)

TEXT = {"type": "string"}
PURPOSE = {"type": "string", "pattern": "^[0-9A-Za-z._:-]{1,64}$"}
KEY = closed({"item": TEXT, "value": {"type": ["string", "integer"]}})
WANTED = {
    "items": {**listed({"type": "string", "minLength": 1}), "minItems": 1, "maxItems": ITEMS_PER_QUERY},
    "where": {"type": ["object", "string", "null"]},
    "limit": {"type": ["integer", "null"], "minimum": 1},
    "key": {"anyOf": [KEY, {"type": "null"}]},
    "keys": closed(
        {
            "item": TEXT,
            "values": {**listed({"type": ["string", "integer"]}), "minItems": 1, "maxItems": KEYS_PER_QUERY},
        }
    ),
    "replay": UUID,
}
QUERY = closed(
    {
        "exchange": UUID,
        "agreement": URN,
        "purpose": PURPOSE,
        "case": {"type": "string", "pattern": "^hmac-sha256:[0-9a-f]{64}$"},
        "items": {"anyOf": [WANTED["items"], {"type": "null"}]},
        "where": {"type": ["object", "null"]},
        "limit": WANTED["limit"],
        "key": WANTED["key"],
    },
    keys=WANTED["keys"],
    replay=UUID,
)
FILE = shape({"kind": TEXT, "version": COUNT, "rows": COUNT, "bytes": COUNT, "digest": DIGEST}, url=TEXT)
OPENED = Answered("The files.", {JSON: shape({"exchange": UUID, "version": COUNT, "files": listed(FILE)})})
PREPARING = Answered("They are being written: ask again.", {JSON: shape({"preparing": {"const": True}})})
PIECE = {200: Answered("Bytes.", {BYTES: {}})}
ROWS = Answered(
    "Rows. `Hutong-Exchange` and `Hutong-Receipt` name what is on record here.",
    {formats.MEDIA_TYPES["json"]: listed(OBJECT)}
    | {media: {} for form, media in formats.MEDIA_TYPES.items() if form != "json"},
)
CHANGES = shape({"events": listed(OBJECT), "position": COUNT})
BATCH = closed(
    {
        "exchange": UUID,
        "agreement": URN,
        "purpose": PURPOSE,
        "case": TEXT,
        "first": {"type": "integer", "minimum": 1},
        "last": {"type": "integer", "minimum": 1},
        "events": listed(OBJECT),
    }
)
READ = PREFIX + "{agreement}" + SUFFIX
RECEIPT = shape({"exchange": UUID, "outcome": TEXT, "rows": COUNT, "bytes": COUNT, "digest": DIGEST, "receipt": DIGEST})


def _applications() -> tuple[Operation, ...]:
    under = (
        Given("agreement", "path", "The agreement to read under.", URN),
        Given("Hutong-Purpose", "header", "What for: one of the agreement's purposes.", PURPOSE, needed=True),
        Given(
            "Hutong-Case",
            "header",
            "The case it is for. It stays at this node.",
            {"type": "string", "minLength": 1, "maxLength": LONGEST_CASE, "pattern": "^[!-~]+$"},
            needed=True,
        ),
        Given(
            "Idempotency-Key",
            "header",
            "The application's own word for this read: the same again is the same exchange.",
            {"type": "string", "minLength": 1, "maxLength": LONGEST_CASE, "pattern": "^[!-~]+$"},
        ),
    )
    looked_up = (
        Given("items", "query", "Names, separated by commas."),
        Given("where", "query", "A condition."),
        Given("limit", "query", "Most rows.", {"type": "integer", "minimum": 1}),
        Given("key", "query", "The item to look one record up by."),
        Given("value", "query", "Its value."),
    )
    opened = (
        Given("exchange", "path", "The exchange that opened it.", UUID),
        Given("file", "path", "Its number.", COUNT),
    )
    without_keys = {name: WANTED[name] for name in ("items", "where", "limit")}
    return (
        Operation(
            "post", READ, "read", "Read under an agreement.", "application", {200: ROWS}, under, closed({}, **WANTED)
        ),
        Operation("get", READ, "look_up", "The same by GET.", "application", {200: ROWS}, (*under, *looked_up)),
        Operation(
            "post", PREFIX + "{agreement}" + FILES_SUFFIX, "open_files", "Open the rows as files that survive cuts.",
            "application", {201: OPENED, 202: PREPARING}, under, closed({}, **without_keys),
        ),
        Operation(
            "get", FETCHED + "{exchange}/{file}", "fetch_file", "Fetch an opened file.", "application",
            PIECE | {206: Answered("The range asked for.", {BYTES: {}})},
            (*opened, Given("Range", "header", "One range.")),
        ),
        Operation(
            "get", "/exchange/v1/agreements", "entitlements", "What this key may read.", "application",
            {200: Answered("Agreements.", {JSON: shape({"agreements": listed(OBJECT)})})},
        ),
        Operation(
            "get", PREFIX + "{agreement}" + EVENTS, "changes", "Changes, under a subscription.", "application",
            {200: Answered("CloudEvents, in order.", {JSON: CHANGES, NDJSON: {}})}, (under[0], *_places()),
        ),
        Operation(
            "get", "/exchange/v1/exchanges/{exchange}", "exchange", "How one exchange stands.", "application",
            {200: Answered("What is on record.", {JSON: shape({"exchange": UUID, "agreement": URN, "outcome": TEXT})})},
            (Given("exchange", "path", "The exchange.", UUID),),
        ),
    )  # fmt: skip


def _places() -> tuple[Given, ...]:
    return (
        Given("after", "query", "The last position the application has.", COUNT),
        Given("limit", "query", "Most events.", {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE}),
        Given("wait", "query", "Seconds to wait.", {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_S}),
    )


def _members() -> tuple[Operation, ...]:
    packed = Answered("Answers, packed (docs/wire.md).", {ANSWERS_TYPE: {}})
    messages = {**listed(QUERY), "minItems": 1, "maxItems": QUERIES_PER_MESSAGE}
    streamed = {**QUERY, "properties": {**QUERY["properties"], "form": {"enum": list(formats.MEDIA_TYPES)}}}
    as_files = {
        **QUERY,
        "properties": {**QUERY["properties"], "form": {"enum": ["arrow", "parquet"]}, "edition": OBJECT},
    }
    health = shape({"status": {"enum": ["ok", "draining"]}})
    return (
        Operation(
            "post", "/exchange/queries", "queries", "Queries of another node, answered in one message.", "member",
            {200: packed}, body=closed({"queries": messages}),
        ),
        Operation(
            "post", "/exchange/streams", "stream", "One query of another node, answered as a stream.", "member",
            {200: Answered("Rows.", {media: {} for media in formats.MEDIA_TYPES.values()})},
            body={**streamed, "required": [*QUERY["required"], "form"]},
        ),
        Operation(
            "post", FILES, "member_files", "One query of another node, answered with files.", "member",
            {200: OPENED, 202: PREPARING},
            body={**as_files, "required": [*QUERY["required"], "form"]},
        ),
        Operation(
            "get", FILES + "/{exchange}/{file}/{piece}", "file_piece", "2 MiB of a file, counted from 0.", "member",
            PIECE,
            (
                Given("exchange", "path", "The exchange that opened it.", UUID),
                Given("file", "path", "Its number.", COUNT),
                Given("piece", "path", "The piece's number.", COUNT),
            ),
        ),
        Operation(
            "post", PATH, "take_changes", "A batch of changes, from the provider of a subscription.", "member",
            {200: Answered("How far they are held here.", {JSON: shape({"acknowledged": COUNT})})}, body=BATCH,
        ),
        Operation(
            "get", "/exchange/receipts", "receipts", "Receipts of exchanges with whoever asks, a page.", "member",
            {200: Answered("In the order of the register.", {JSON: OBJECT})},
            (Given("after", "query", "The place already read.", COUNT),),
        ),
        Operation(
            "get", "/exchange/receipts/{exchange}", "receipt", "The newest receipt of one exchange.", "member",
            {200: Answered("Signed.", {JSON: RECEIPT})}, (Given("exchange", "path", "The exchange.", UUID),),
        ),
        Operation(
            "get", "/exchange/health", "exchange_health", "Whether this server takes requests.", "open",
            {200: Answered("It does.", {JSON: health}), 503: Answered("It is being stopped.", {JSON: health})},
        ),
    )  # fmt: skip


def register() -> None:
    openapi.add(*_applications(), *_members(), *sharing.operations())
