"""The addresses of Delta Sharing, for the OpenAPI document."""

from __future__ import annotations

from hutong.node.openapi import COUNT, JSON, OBJECT, PROBLEM, Answered, Given, Operation, listed, shape

NDJSON = "application/x-ndjson"
_TEXT = {"type": "string"}
_BASE = "/exchange/delta-sharing/shares"
_TABLE = _BASE + "/{share}/schemas/{schema}/tables/{table}"
_SHARE = Given("share", "path", "An agreement, by its UUID.")
_SCHEMA = Given("schema", "path", "Its provider.")
_NAMES = (_SHARE, _SCHEMA, Given("table", "path", "rows."))
_PAGES = (
    Given("maxResults", "query", "Most items of the page.", COUNT),
    Given("pageToken", "query", "Where the page begins, as the page before it says."),
)
_HINTS = shape({}, predicateHints=listed(_TEXT), jsonPredicateHints=_TEXT, limitHint=COUNT, version=COUNT)
_LINES = {200: Answered("One JSON object a line; the version in the header delta-table-version.", {NDJSON: {}})}
_LIST = {200: Answered("A page.", {JSON: shape({"items": listed(OBJECT)})})}


def operations() -> tuple[Operation, ...]:
    since = Given("startingTimestamp", "query", "The first version from a time on.")
    changes = (
        Given("startingVersion", "query", "The first version whose changes are asked for.", COUNT),
        Given("endingVersion", "query", "The last one.", COUNT),
        since,
        Given("endingTimestamp", "query", "The last version up to a time."),
    )
    one = {200: Answered("The share.", {JSON: shape({"share": OBJECT})})}
    version = {200: Answered("The version, in the header delta-table-version.")}
    return (
        _get(_BASE, "shares", "What the profile may read.", _LIST, _PAGES),
        _get(_BASE + "/{share}", "share", "One of them.", one, (_SHARE,)),
        _get(_BASE + "/{share}/schemas", "share_schemas", "Its schema.", _LIST, (_SHARE, *_PAGES)),
        _get(_BASE + "/{share}/all-tables", "share_tables", "Its table.", _LIST, (_SHARE, *_PAGES)),
        _get(
            _BASE + "/{share}/schemas/{schema}/tables", "schema_tables", "Its table.", _LIST, (_SHARE, _SCHEMA, *_PAGES)
        ),
        _get(_TABLE + "/version", "table_version", "The newest version.", version, (*_NAMES, since)),
        _get(_TABLE + "/metadata", "table_metadata", "The items and their types.", _LINES, _NAMES),
        _get(_TABLE + "/changes", "table_changes", "Files of what went and came.", _LINES, (*_NAMES, *changes)),
        Operation(
            "post",
            _TABLE + "/query",
            "table_query",
            "Files of the rows, at signed addresses.",
            "application",
            _LINES,
            _NAMES,
            _HINTS,
            refusal_media=(JSON, PROBLEM),
        ),
    )


def _get(path: str, name: str, said: str, answers: dict[int, Answered], given: tuple[Given, ...]) -> Operation:
    return Operation("get", path, name, said, "application", answers, given, refusal_media=(JSON, PROBLEM))
