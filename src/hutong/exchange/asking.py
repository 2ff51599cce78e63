"""What an application asks at its own node: read from path, headers and body, before anything is decided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from hutong.exchange import formats
from hutong.exchange.query import ROWS_PER_ANSWER, BadQuery, is_agreement, is_purpose
from hutong.exchange.shaping.predicate import Predicate, parse_text
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import urn
from hutong.vocabulary.rulebook import Rule

PREFIX = "/exchange/v1/agreements/"
SUFFIX = "/read"
FILES_SUFFIX = "/files"  # the same, answered with files to fetch
LARGEST_ASK = 1024 * 1024  # bytes of one application's request; owner: the application's door
LONGEST_CASE = 120  # characters of a case number, and of an Idempotency-Key
_MEMBERS = frozenset({"items", "where", "limit", "key", "keys", "replay"})
_BEARER = re.compile(r"Bearer ([0-9A-Za-z_.~+/-]{20,200}=*)\Z")


class NoKey(Refused):
    """This address needs an API key, and none that is valid was sent."""

    zh = "此地址需要 API 密钥，未收到有效密钥。"
    code = "no_key"
    status = 401
    next_en = "Send it as: Authorization: Bearer KEY. Your operator makes one with: hutong key create"
    next_zh = "请以 Authorization: Bearer KEY 发送；由运维人员用 hutong key create 生成。"


class NoPurpose(Rule):
    """The request names no {what}."""

    zh = "请求未写明{what_zh}。"
    code = "no_purpose"
    status = 400
    rule = "D809-25"
    next_en = "Send {header} with every request; it is kept with the evidence of use."
    next_zh = "每次请求都应在 {header} 中写明，并随使用记录保存。"


@dataclass(slots=True, eq=False)
class Ask:
    """One application's request."""

    key_digest: str  # sha256:... of the API key; the key itself is not kept
    agreement: str
    purpose: str
    case_number: str
    form: str
    wanted: dict[str, Any]  # items, where, limit, key, keys: as they travel to the provider
    idempotency_key: str = ""  # the application's own word for this read, "" for none

    @property
    def is_record_query(self) -> bool:
        """Small enough to travel with others in one message."""
        limit = self.wanted["limit"]
        by_key = self.wanted["key"] is not None or "keys" in self.wanted
        small = by_key if limit is None else limit <= ROWS_PER_ANSWER
        return self.form == "json" and small


def read_ask(path: str, query_string: bytes, headers: Mapping[str, str], body: bytes) -> Ask:
    """raises   NoKey, NoPurpose, NotFound, BadQuery, BadPredicate, and what formats.choose raises"""
    return Ask(
        key_digest=key_digest(headers),
        agreement=_agreement(path),
        purpose=_purpose(headers),
        case_number=_case_number(headers),
        form=_form(headers.get("accept", "*/*")),
        wanted=_wanted(query_string, body),
        idempotency_key=_idempotency_key(headers),
    )


@lru_cache(maxsize=256)
def _form(accept: str) -> str:
    return formats.choose(accept)


def key_digest(headers: Mapping[str, str]) -> str:
    """raises NoKey"""
    found = _BEARER.match(headers.get("authorization", ""))
    if found is None:
        raise NoKey()
    return digest(found[1].encode("ascii"))


def _agreement(path: str) -> str:
    agreement = urn(path[len(PREFIX) :].removesuffix(SUFFIX).removesuffix(FILES_SUFFIX))
    if not is_agreement(agreement):
        raise NotFound(what="agreement", name="of that form", name_zh="（编号格式不符）")
    return agreement


def _purpose(headers: Mapping[str, str]) -> str:
    purpose = headers.get("hutong-purpose", "")
    if not is_purpose(purpose):
        raise NoPurpose(what="purpose code", what_zh="用途代码", header="Hutong-Purpose")
    return purpose


def _case_number(headers: Mapping[str, str]) -> str:
    # HTTP gives header bytes; a Chinese case number comes as UTF-8.
    try:
        case = headers.get("hutong-case", "").encode("latin-1").decode("utf-8").strip()
    except UnicodeDecodeError:
        case = ""
    if not case or len(case) > LONGEST_CASE or not case.isprintable():
        raise NoPurpose(what="case number", what_zh="办件编号", header="Hutong-Case")
    return case


def _idempotency_key(headers: Mapping[str, str]) -> str:
    word = headers.get("idempotency-key", "")
    if word and not (word.isascii() and word.isprintable() and len(word) <= LONGEST_CASE):
        raise BadQuery(
            reason=f"Idempotency-Key is at most {LONGEST_CASE} printable ASCII characters",
            reason_zh=f"Idempotency-Key 至多 {LONGEST_CASE} 个可打印 ASCII 字符",
        )
    return word


def _wanted(query_string: bytes, body: bytes) -> dict[str, Any]:
    document = _from_body(body) if body else _from_query_string(query_string)
    if not document.keys() <= _MEMBERS:
        raise BadQuery(
            reason="a read has the members items, where, limit and key or keys, or replay",
            reason_zh="读取请求的成员为 items、where、limit 和 key 或 keys，或 replay",
        )
    where = document.get("where")
    condition = parse_text(where) if isinstance(where, str) else None
    if condition is None and where is not None:
        condition = Predicate.from_document(where)
    wanted = {
        "items": document.get("items"),
        # Through the tree and back: what travels is what was understood, with numbers as text (no floats on the wire).
        "where": condition.to_document() if condition else None,
        "limit": document.get("limit"),
        "key": document.get("key"),
    }
    # Only where they are asked for: a node that knows nothing of them reads every other query.
    return wanted | {name: document[name] for name in ("keys", "replay") if document.get(name) is not None}


def _from_body(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadQuery(reason="the body is not JSON", reason_zh="正文不是 JSON") from error
    if not isinstance(document, dict):
        raise BadQuery(reason="the body is not a JSON object", reason_zh="正文不是 JSON 对象")
    return document


def _from_query_string(query_string: bytes) -> dict[str, Any]:
    """?items=a,b&where=city='南京'&limit=10, or ?key=code&value=..."""
    if not query_string:
        return {}
    try:
        given = dict(parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict"))
    except (UnicodeDecodeError, ValueError) as error:
        raise BadQuery(reason="the address's query cannot be read", reason_zh="地址的查询部分无法读取") from error
    document: dict[str, Any] = {name: given[name] for name in ("where", "replay") if name in given}
    if "items" in given:
        document["items"] = given["items"].split(",")
    if "limit" in given:
        if not given["limit"].isascii() or not given["limit"].isdigit():
            raise BadQuery(reason="limit is a whole number of rows", reason_zh="limit 应为整数行数")
        document["limit"] = int(given["limit"])
    if "key" in given:
        document["key"] = {"item": given["key"], "value": given.get("value", "")}
    if unknown := set(given) - {"items", "where", "limit", "key", "value", "replay"}:
        raise BadQuery(
            reason=f"the address's query has unknown parts: {', '.join(sorted(unknown))[:80]}",
            reason_zh=f"地址的查询部分有未知参数：{'、'.join(sorted(unknown))[:80]}",
        )
    return document
