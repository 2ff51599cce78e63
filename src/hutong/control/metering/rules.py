"""What a meter file must be, and what two files of one day differ in. Decides and touches nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import Refused

VERSION: Final = 1
KIND: Final = "meter"
COUNTS: Final = ("calls", "hits", "rows", "bytes", "took_ms", "slowest_ms", "aged", "age_s")
WORDS: Final = ("role", "agreement", "purpose", "outcome", "code", "form")
MEMBERS: Final = frozenset({"v", "kind", "author", "peer", "day", "version", "lines"})
COMPARED: Final = ("calls", "rows", "bytes")
OTHER: Final = {"provider": "consumer", "consumer": "provider"}


class BadMeter(Refused):
    """This is no meter file that can be relied on: {reason}."""

    zh = "该计量文件不可采信：{reason}。"
    code = "bad_meter"
    status = 400
    next_en = "Ask the node that made it for the file again."
    next_zh = "请向出具该文件的节点重新索取。"


class MeterDiffers(Refused):
    """The meter file of {day} is not what this node's register says: {count} lines differ."""

    zh = "{day} 的计量文件与本节点使用登记不一致：{count} 项不同。"
    code = "meter_differs"
    status = 409
    next_en = "See which lines with --json; a correction is a new version: hutong meter make"
    next_zh = "可用 --json 查看不同项；更正应出具新版本：hutong meter make"


def read(document: bytes) -> dict[str, Any]:
    """A meter file's document. raises   BadMeter for anything but the one spelling"""
    try:
        given = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise BadMeter(reason="it is not JSON", reason_zh="不是 JSON") from error
    if not isinstance(given, dict) or given.keys() != MEMBERS or (given["v"], given["kind"]) != (VERSION, KIND):
        raise BadMeter(reason="its members are others", reason_zh="成员不符")
    lines = given["lines"]
    if not isinstance(lines, list) or not all(_is_line(one) for one in lines) or not _is_head(given):
        raise BadMeter(reason="a line or its head cannot be read", reason_zh="头部或明细行无法读取")
    if canonical_bytes(given) != document:
        raise BadMeter(reason="it is not canonical JSON", reason_zh="不是规范化 JSON")
    return given


def differences(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What two sides tell differently of one day, by agreement, purpose and outcome; empty when they agree.

    Of what was cut on the way each side counts what it saw: there the calls alone are held against each other.
    """
    here, there = _sums(ours, lambda role: role), _sums(theirs, OTHER.__getitem__)
    found = []
    for key in sorted({*here, *there}):
        names = COMPARED[:1] if key[3] == "cut" else COMPARED
        for name in names:
            if here[key][name] != there[key][name]:
                told = dict(zip(("role", "agreement", "purpose", "outcome"), key, strict=True))
                found.append({**told, "what": name, "ours": here[key][name], "theirs": there[key][name]})
    return found


def _sums(lines: Sequence[Mapping[str, Any]], seen_as: Any) -> dict[tuple[str, ...], dict[str, int]]:
    sums: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COMPARED, 0))
    for line in lines:
        # What a consumer has from the provider's register after a crash was served.
        outcome = "served" if line["outcome"] == "recovered" else line["outcome"]
        of = sums[seen_as(line["role"]), line["agreement"], line["purpose"], outcome]
        for name in COMPARED:
            of[name] += line[name]
    return sums


def _is_line(line: Any) -> bool:
    return (
        isinstance(line, dict)
        and line.keys() == {*COUNTS, *WORDS}
        and all(type(line[name]) is int and line[name] >= 0 for name in COUNTS)
        and all(isinstance(line[name], str) for name in WORDS)
        and line["role"] in OTHER
    )


def _is_head(given: Mapping[str, Any]) -> bool:
    words = all(isinstance(given[name], str) for name in ("author", "peer", "day"))
    return words and type(given["version"]) is int and given["version"] >= 1
