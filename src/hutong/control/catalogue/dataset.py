"""A catalogue entry on the wire: a DCAT data set in the Dataspace Protocol's plain JSON, with our extension.

    {"@context": [...], "@id": resource id, "@type": "Dataset",
     "dct:title": [{"@language": "zh", "@value": ...}, ...], "dct:description": [...], "dcat:keyword": [...],
     "hasPolicy": [offer], "distribution": [...],
     "hutong:entry": {"origin", "version", "state", "published_at", "department", "items", ...}}

The origin signs the canonical JSON of the whole, so nobody on the way can change an item, a state or an address.
A peer that does not know `hutong:entry` still reads a valid data set and its offer.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hutong.control.catalogue.fields import MOST_ITEMS
from hutong.control.catalogue.models import Attribute, Item, Resource
from hutong.control.catalogue.rules import effective_attribute, effective_grade, item_attribute
from hutong.node.settings import Settings
from hutong.vocabulary import codes
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.moments import rfc3339
from hutong.vocabulary.text import checked

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
DSP_PATH = "/dsp/2025-1"
FORMAT = "HttpData-PULL"
EXTENSION = "hutong:entry"
MOST_BYTES = 768 * 1024  # of an entry's canonical JSON; a message holds 1 MiB; owner: catalogue
SIGNED_PREFIX = b"hutong catalogue entry v1\n"  # a signature over an entry can stand for nothing else
STATES = ("published", "withdrawn")


class BadEntry(Refused):
    """This catalogue entry cannot be accepted: {reason}."""

    zh = "该目录条目无法接受：{reason}。"
    code = "bad_entry"
    status = 422
    next_en = "Ask the node that published it to publish it again."
    next_zh = "请发布节点重新发布。"


@dataclass(frozen=True)
class EntryItem:
    """An item as published."""

    name: str
    title_zh: str
    title_en: str
    type: str
    element: str
    attribute: str
    grade: int
    sensitive: bool
    nullable: bool
    key: bool
    note: str
    mask: str  # the action of the provider's default mask; "keep" for none
    codes: str = ""  # the region's code table its values leave in; "" for the provider's own

    @property
    def may_be_shared(self) -> bool:
        return self.attribute != Attribute.REFUSED


@dataclass(frozen=True)
class EntryDocument:
    """A data set decoded strictly: what search indexes and pages show."""

    id: str
    origin: str
    version: int
    state: str
    published_at: datetime
    title_zh: str
    title_en: str
    summary_zh: str
    summary_en: str
    keywords: tuple[str, ...]
    department_code: str
    department_name: str
    department_name_en: str
    code: str
    category: str
    theme: str
    data_format: str
    update_cycle: str
    attribute: str
    conditions: str
    permitted_purposes: tuple[str, ...]
    legal_citation: str
    sharing_modes: tuple[str, ...]
    national_level: str
    grade: int
    area_code: str
    time_range: str
    business_matter: str
    source_system: str
    row_count: int | None
    items: tuple[EntryItem, ...]
    offer_id: str
    endpoint_url: str

    def item(self, name: str) -> EntryItem | None:
        return next((item for item in self.items if item.name == name), None)


def build(
    resource: Resource,
    items: Sequence[Item],
    settings: Settings,
    *,
    state: str,
    version: int,
    published_at: datetime,
    codes_of: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The data set of a resource as it stands. Holds no location, no secret and no value of any row.

    codes_of   by item, the region's code table its values leave in
    """
    attribute = effective_attribute(resource.attribute, items)
    return {
        "@context": [CONTEXT],
        "@id": resource.id,
        "@type": "Dataset",
        "dct:title": _texts(resource.title_zh, resource.title_en),
        "dct:description": _texts(resource.summary_zh, resource.summary_en),
        "dcat:keyword": list(resource.keywords),
        "hasPolicy": [_offer(resource, attribute, version)],
        "distribution": [_distribution(settings)],
        EXTENSION: {
            "v": 1,
            "origin": settings.jurisdiction,
            "version": version,
            "state": state,
            "published_at": rfc3339(published_at),
            "department": _department(resource),
            "attribute": attribute,
            "grade": effective_grade(items),
            "row_count": resource.source.row_count if resource.source else None,
            "items": [_item(item, resource, (codes_of or {}).get(item.name, "")) for item in items],
        }
        | {name: getattr(resource, name) for name in _PLAIN_TEXTS}
        | {name: list(getattr(resource, name)) for name in _PLAIN_LISTS},
    }


def signed_bytes(dataset: dict[str, Any]) -> bytes:
    """What the origin signs.

    raises   BadEntry for a document that has no canonical JSON, or is too large for a message
    """
    try:
        content = canonical_bytes(dataset)
    except (ValueError, RecursionError) as error:
        raise BadEntry(reason="it has no canonical JSON", reason_zh="无法写成规范化 JSON") from error
    if b"\\u0000" in content:
        raise BadEntry(reason="a text in it holds NUL", reason_zh="其中有文本含 NUL 字符")
    if len(content) > MOST_BYTES:
        raise BadEntry(reason=f"it is larger than {MOST_BYTES} bytes", reason_zh=f"超过 {MOST_BYTES} 字节")
    return SIGNED_PREFIX + content


def read(dataset: Any) -> EntryDocument:
    """A data set with our extension, decoded strictly: nothing in it can hurt a page, a log or a database.

    raises   BadEntry
    """
    try:
        return _read(dataset)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, binascii.Error) as error:
        raise BadEntry(
            reason="a field is missing, or is not of its type", reason_zh="缺少字段，或字段类型不对"
        ) from error
    except Refused as refusal:
        if isinstance(refusal, BadEntry):
            raise
        raise BadEntry(reason=refusal.say("en").rstrip("."), reason_zh=refusal.say("zh").rstrip("。")) from refusal


def offer(dataset: dict[str, Any]) -> dict[str, Any]:
    """The offer a consumer's request names."""
    return dict(dataset["hasPolicy"][0])


_PLAIN_TEXTS = {
    "code": 60,
    "category": 12,
    "theme": 60,
    "data_format": 40,
    "update_cycle": 2,
    "conditions": 2000,
    "legal_citation": 1000,
    "national_level": 12,
    "area_code": 12,
    "time_range": 60,
    "business_matter": 200,
    "source_system": 200,
}
_PLAIN_LISTS = {"permitted_purposes": 60, "sharing_modes": 20}
_LINES = {"conditions", "legal_citation"}


def _texts(zh: str, en: str) -> list[dict[str, str]]:
    return [{"@language": tag, "@value": text} for tag, text in (("zh", zh), ("en", en)) if text]


def _offer(resource: Resource, attribute: str, version: int) -> dict[str, Any]:
    """One offer a version: its id changes when the conditions may have."""
    offer_id = uuid.uuid5(uuid.UUID(resource.id), str(version)).urn
    rule: dict[str, Any] = {"action": "use"}
    if attribute == Attribute.REFUSED:
        return {"@id": offer_id, "@type": "Offer", "prohibition": [rule]}
    constraints = [_constraint("hutong:sharingAttribute", "eq", attribute)]
    if attribute == Attribute.CONDITIONAL:
        constraints.append(_constraint("purpose", "isAnyOf", list(resource.permitted_purposes)))
    return {"@id": offer_id, "@type": "Offer", "permission": [rule | {"constraint": constraints}]}


def _constraint(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def _distribution(settings: Settings) -> dict[str, Any]:
    service_id = uuid.uuid5(uuid.NAMESPACE_URL, settings.base_url + DSP_PATH).urn
    service = {"@id": service_id, "@type": "DataService", "endpointURL": settings.base_url + DSP_PATH}
    return {"@type": "Distribution", "format": FORMAT, "accessService": service}


def _department(resource: Resource) -> dict[str, str]:
    department = resource.department
    return {"code": department.code, "name_zh": department.name_zh, "name_en": department.name_en}


def _item(item: Item, resource: Resource, table: str) -> dict[str, Any]:
    """table   the region's code table its values leave in, "" for as they are; a code is text"""
    return ({"codes": table} if table else {}) | {
        "name": item.name,
        "title_zh": item.title_zh,
        "title_en": item.title_en,
        "type": "string" if table else item.type,
        "element": item.element,
        "attribute": item_attribute(item, resource),
        "grade": item.grade,
        "sensitive": item.sensitive,
        "nullable": item.nullable,
        "key": item.key,
        "note": item.note,
        "mask": str(item.mask.get("action", "keep")),
    }


def _read(dataset: Any) -> EntryDocument:
    entry = dataset[EXTENSION]
    _require(
        dataset["@type"] == "Dataset" and CONTEXT in list(dataset["@context"]),
        "it is not a data set of this protocol",
        "不是本协议的数据集",
    )
    _require(entry["v"] == 1, "its version of the extension is not known here", "其扩展版本此处未知")
    _require(isinstance(dataset["@id"], str) and is_id(dataset["@id"]), "its id is not a UUID", "编号不是 UUID")
    _require(entry["state"] in STATES, "its state is unknown", "状态未知")
    _require(entry["attribute"] in codes.ATTRIBUTES, "its sharing attribute is unknown", "共享属性未知")
    titles, summaries = _languages(dataset["dct:title"], 200), _languages(dataset["dct:description"], 4000, lines=True)
    department = entry["department"]
    texts = {name: checked(name, entry[name], limit=n, lines=name in _LINES) for name, n in _PLAIN_TEXTS.items()}
    return EntryDocument(
        id=dataset["@id"],
        origin=checked("origin", entry["origin"], limit=40, required=True),
        version=_count(entry["version"]),
        state=entry["state"],
        published_at=_moment(entry["published_at"]),
        title_zh=checked("dct:title", titles.get("zh", ""), limit=200, required=True),
        title_en=titles.get("en", ""),
        summary_zh=summaries.get("zh", ""),
        summary_en=summaries.get("en", ""),
        keywords=_list(dataset["dcat:keyword"], 40),
        department_code=checked("department.code", department["code"], limit=18, required=True),
        department_name=checked("department.name_zh", department["name_zh"], limit=200, required=True),
        department_name_en=checked("department.name_en", department["name_en"], limit=200),
        attribute=entry["attribute"],
        grade=_grade(entry["grade"]),
        row_count=None if entry["row_count"] is None else _count(entry["row_count"]),
        permitted_purposes=_list(entry["permitted_purposes"], _PLAIN_LISTS["permitted_purposes"]),
        sharing_modes=_list(entry["sharing_modes"], _PLAIN_LISTS["sharing_modes"]),
        items=_items(entry["items"]),
        offer_id=checked("hasPolicy.@id", dataset["hasPolicy"][0]["@id"], limit=80, required=True),
        endpoint_url=_address(dataset["distribution"][0]["accessService"]["endpointURL"]),
        **texts,
    )


def _items(given: Any) -> tuple[EntryItem, ...]:
    _require(
        isinstance(given, list) and len(given) <= MOST_ITEMS,
        f"it has more than {MOST_ITEMS} items",
        f"信息项超过 {MOST_ITEMS} 个",
    )
    items = tuple(_entry_item(one) for one in given)
    _require(len({item.name for item in items}) == len(items), "an item stands in it twice", "信息项重复")
    return items


def _entry_item(given: Any) -> EntryItem:
    _require(
        given["attribute"] in (*codes.ATTRIBUTES.codes, ""),
        "an item's sharing attribute is unknown",
        "信息项的共享属性未知",
    )
    flags = {name: given[name] for name in ("sensitive", "nullable", "key")}
    _require(
        all(isinstance(flag, bool) for flag in flags.values()),
        "an item's flag is neither true nor false",
        "信息项的标志不是 true 或 false",
    )
    return EntryItem(
        name=checked("items.name", given["name"], limit=120, required=True),
        title_zh=checked("items.title_zh", given["title_zh"], limit=200),
        title_en=checked("items.title_en", given["title_en"], limit=200),
        type=checked("items.type", given["type"], limit=40, required=True),
        element=checked("items.element", given["element"], limit=60),
        attribute=given["attribute"],
        grade=_grade(given["grade"]),
        note=checked("items.note", given["note"], limit=300),
        mask=checked("items.mask", given["mask"], limit=40),
        codes=checked("items.codes", given.get("codes", ""), limit=60),
        **flags,
    )


def _languages(given: Any, limit: int, *, lines: bool = False) -> dict[str, str]:
    _require(isinstance(given, list) and len(given) <= 8, "a text has too many languages", "文本的语言过多")
    return {str(one["@language"]): checked("@value", one["@value"], limit=limit, lines=lines) for one in given}


def _list(given: Any, limit: int) -> tuple[str, ...]:
    _require(isinstance(given, list) and len(given) <= 60, "a list is too long", "列表过长")
    return tuple(checked("list", one, limit=limit) for one in given)


def _count(given: Any) -> int:
    _require(
        isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 2**53,
        "a number is out of range",
        "数字超出范围",
    )
    return int(given)


def _grade(given: Any) -> int:
    _require(given in codes.GRADES and not isinstance(given, bool), "a grade is not 1 to 4", "分级不在 1 至 4")
    return int(given)


def _moment(given: Any) -> datetime:
    moment = datetime.fromisoformat(given)
    _require(moment.tzinfo is not None, "its date has no time zone", "时间没有时区")
    return moment


def _address(given: Any) -> str:
    text = checked("endpointURL", given, limit=300, required=True)
    _require(urlsplit(text).scheme in ("http", "https"), "its address is no web address", "地址不是网址")
    return text


def _require(holds: bool, reason: str, reason_zh: str) -> None:
    if not holds:
        raise BadEntry(reason=reason, reason_zh=reason_zh)


def decode_signature(text: Any) -> bytes:
    """raises   BadEntry"""
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadEntry(reason="its signature is not base64", reason_zh="签名不是 base64") from error
