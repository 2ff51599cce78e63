"""Many answers in one signed message: a length, a JSON head, then the bodies one after another.

4 bytes   length of the head, big-endian
head      {"answers": [{"exchange", "status", "rows", "bytes", "digest", "refusal", "receipt"}, ...]}
          and "withheld", rows that stayed behind by item, where there are any
bodies    each answer's `bytes` bytes, in the head's order; a refused query has none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from hutong.exchange.query import ITEMS_PER_QUERY
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Refused

ANSWERS_TYPE = "application/vnd.hutong.answers"
_HEAD_LENGTH = 4
_FIELDS = {"exchange", "status", "rows", "bytes", "digest", "refusal", "receipt"}


class BadAnswer(Refused):
    """The provider's answer does not hold together: {reason}."""

    zh = "提供方的答复不完整或不一致：{reason}。"
    code = "bad_answer"
    status = 502
    next_en = "Nothing of it was passed on. Tell the provider's operator; the time and exchange id are in the register."
    next_zh = "其内容未被转交。请告知提供方运维人员；时间和交换编号见使用登记。"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: rows as a JSON array, or a refusal."""

    exchange: str
    status: int
    rows: int
    body: bytes
    digest: str  # of the body; "" for a refusal
    refusal: dict[str, Any] | None  # RFC 9457 problem details
    receipt: str  # digest of the provider's ledger entry
    withheld: Mapping[str, int] = field(default_factory=dict)  # rows that stayed behind, by item


def pack(answers: Sequence[Answer]) -> bytes:
    head = orjson.dumps(
        {
            "answers": [
                {
                    "exchange": answer.exchange,
                    "status": answer.status,
                    "rows": answer.rows,
                    "bytes": len(answer.body),
                    "digest": answer.digest,
                    "refusal": answer.refusal,
                    "receipt": answer.receipt,
                    **({"withheld": dict(answer.withheld)} if answer.withheld else {}),
                }
                for answer in answers
            ]
        }
    )
    return b"".join((len(head).to_bytes(_HEAD_LENGTH, "big"), head, *(answer.body for answer in answers)))


def unpack(message: bytes, exchanges: Sequence[str]) -> list[Answer]:
    """The answers to these exchanges, in this order.

    raises   BadAnswer unless every exchange is answered once, every length fits and every digest holds
    """
    head_length = int.from_bytes(message[:_HEAD_LENGTH], "big")
    at = _HEAD_LENGTH + head_length
    try:
        heads = orjson.loads(message[_HEAD_LENGTH:at])["answers"]
        if [head["exchange"] for head in heads] != list(exchanges):
            raise BadAnswer(
                reason="it answers other exchanges than were asked for", reason_zh="答复的交换与所请求的不一致"
            )
        answers = []
        for head in heads:
            answers.append(_answer(head, message[at : at + head["bytes"]]))
            at += head["bytes"]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadAnswer(reason="its head cannot be read", reason_zh="其头部无法读取") from error
    if at != len(message):
        raise BadAnswer(reason="its length is not the sum of its parts", reason_zh="总长度与各部分之和不符")
    return answers


def _answer(head: dict[str, Any], body: bytes) -> Answer:
    withheld = counted(head["withheld"]) if "withheld" in head else {}
    if set(head) - {"withheld"} != _FIELDS or not _counts(head["rows"], head["bytes"], head["status"]):
        raise ValueError("the head of an answer has other members or kinds")
    refusal = head["refusal"]
    if len(body) != head["bytes"] or (digest(body) if refusal is None else "") != head["digest"]:
        raise BadAnswer(reason="a body is not the one its digest names", reason_zh="有正文与其摘要不符")
    if refusal is not None and (not isinstance(refusal, dict) or not isinstance(refusal.get("code"), str)):
        raise ValueError("a refusal has no code")
    receipt = str(head["receipt"])
    return Answer(head["exchange"], head["status"], head["rows"], body, head["digest"], refusal, receipt, withheld)


def counted(withheld: Any) -> dict[str, int]:
    """Rows that stayed behind, by item, as the provider states them.

    raises   BadAnswer
    """
    fits = isinstance(withheld, dict) and all(type(one) is int and one > 0 for one in withheld.values())
    if not fits or len(withheld) > ITEMS_PER_QUERY:
        raise BadAnswer(reason="its count of withheld rows cannot be read", reason_zh="暂留行数无法读取")
    return {str(item)[:120]: rows for item, rows in withheld.items()}


def _counts(*values: Any) -> bool:
    return all(isinstance(value, int) and value >= 0 for value in values)
