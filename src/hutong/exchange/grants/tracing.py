"""How what left can be traced to its agreement: an entry of the terms that both sides sign, never a secret of one.

    {"watermark": ["name", "address"], "canaries": {"item": "identity_number", "kind": "identity_number", "count": 20}}

Either may be left out. The keys are the provider's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hutong.exchange.shaping.canaries import KINDS, MOST, RECOGNISABLE, Canaries
from hutong.exchange.shaping.masks import MARKABLE
from hutong.vocabulary.errors import Refused


class BadTracing(Refused):
    """The terms on tracing cannot be carried out: {reason}."""

    zh = "溯源条款无法执行：{reason}。"
    code = "bad_tracing"
    status = 400
    next_en = "Name items of the agreement whose mask leaves them as text (watermark), or tells them apart (canaries)."
    next_zh = "水印应选脱敏后仍为文本的信息项，诱饵记录应选脱敏后仍可区分的信息项。"


@dataclass(frozen=True)
class Tracing:
    """watermark   items whose texts bear the recipient's mark"""

    watermark: tuple[str, ...] = ()
    canaries: Canaries | None = None

    @classmethod
    def from_document(cls, document: Any) -> Tracing:
        """raises   BadTracing for anything unknown, missing or of the wrong kind"""
        if not isinstance(document, Mapping) or not document or not set(document) <= {"watermark", "canaries"}:
            raise BadTracing(reason="it is not written as the terms have it", reason_zh="书写不合格式")
        items = document.get("watermark", [])
        if not isinstance(items, list | tuple) or not all(isinstance(one, str) for one in items):
            raise BadTracing(reason="watermark is a list of items", reason_zh="水印应为信息项列表")
        if len(set(items)) != len(items) or ("watermark" in document and not items):
            raise BadTracing(reason="watermark names no item, or one twice", reason_zh="水印未列明信息项或重复")
        given = document.get("canaries")
        return cls(tuple(items), _canaries(given) if "canaries" in document else None)

    def to_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"watermark": list(self.watermark)} if self.watermark else {}
        if self.canaries is not None:
            one = self.canaries
            document["canaries"] = {"item": one.item, "kind": one.kind, "count": one.count}
        return document

    def check(self, masks: Mapping[str, str], types: Mapping[str, str] | None = None) -> None:
        """Every item it names leaves in a form that can be traced.

        masks    item: its mask's action, of every item of the agreement
        types    item: its type's name in the catalogue; None on the side that does not have it
        raises   BadTracing
        """
        text = "string"
        for item in self.watermark:
            shown = masks.get(item) != "keep" or types is None or types.get(item) == text
            if masks.get(item) not in MARKABLE or not shown:
                raise BadTracing(reason=f"item {item} cannot bear a mark", reason_zh=f"信息项 {item} 不能加水印")
        if self.canaries is None:
            return
        item, action = self.canaries.item, masks.get(self.canaries.item, "")
        of_another_kind = action.startswith("encrypt_") and action != f"encrypt_{self.canaries.kind}"
        types_of_kind = (text,) if self.canaries.kind == "credit_code" else (text, "int64")
        held = types is None or types.get(item) in types_of_kind
        if action not in RECOGNISABLE or of_another_kind or not held:
            raise BadTracing(reason=f"item {item} cannot name canaries", reason_zh=f"信息项 {item} 不能用于诱饵记录")


def _canaries(document: Any) -> Canaries:
    if not isinstance(document, Mapping) or set(document) != {"item", "kind", "count"}:
        raise BadTracing(reason="canaries have an item, a kind and a count", reason_zh="诱饵记录应有信息项、种类和数量")
    item, kind, count = document["item"], document["kind"], document["count"]
    if not isinstance(item, str) or not item or kind not in KINDS:
        raise BadTracing(reason=f"the kind is one of: {', '.join(KINDS)}", reason_zh=f"种类应为：{'、'.join(KINDS)}")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
        raise BadTracing(reason=f"there are 1 to {MOST} canaries", reason_zh=f"诱饵记录应为 1 至 {MOST} 条")
    return Canaries(item, kind, count)
