"""What DCAT-AP 3.0.1 demands of what we write: decides and touches nothing.

A table of the profile's properties that we use, for each how often it may stand, whether it is a text or a thing, and
of which class the thing is. tests/spec compares it with the official SHACL shapes, yes for yes and no for no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hutong.control.catalogue.dcat_ap import Node
from hutong.control.catalogue.rules import GateRule

_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`\x00-\x20]+")


class DcatPropertyMissing(GateRule):
    """DCAT-AP wants {field} ({name}) of {of}, and there is none."""

    zh = "DCAT-AP 要求 {of} 具有 {field}（{name_zh}），但没有。"
    code = "dcat_property_missing"
    rule = "DCAT-AP-3.0.1"


class DcatPropertyWrong(GateRule):
    """In DCAT-AP, {field} ({name}) of {of} {problem}."""

    zh = "按 DCAT-AP，{of} 的 {field}（{name_zh}）{problem_zh}。"
    code = "dcat_property_wrong"
    rule = "DCAT-AP-3.0.1"


@dataclass(frozen=True)
class Property:
    """One line of the profile."""

    name: str
    zh: str
    least: int = 0
    most: int | None = None
    of_class: str = ""  # of the thing; "" for a text
    thing: bool = False  # a thing of any class


def _table(**properties: Property) -> dict[str, Property]:
    return {name.replace("_", ":", 1): one for name, one in properties.items()}


PROFILE: Final[dict[str, dict[str, Property]]] = {
    "dcat:Catalog": _table(
        dct_title=Property("title", "名称", 1),
        dct_description=Property("description", "摘要", 1),
        dct_publisher=Property("publisher", "发布者", 1, 1, "foaf:Agent"),
        dcat_dataset=Property("data sets", "数据集", of_class="dcat:Dataset"),
    ),
    "dcat:Dataset": _table(
        dct_title=Property("title", "名称", 1),
        dct_description=Property("description", "摘要", 1),
        dct_identifier=Property("identifier", "标识"),
        dct_modified=Property("modification date", "更新时间", most=1),
        dct_publisher=Property("publisher", "发布者", 0, 1, "foaf:Agent"),
        dct_accessRights=Property("access rights", "访问权限", 0, 1, "dct:RightsStatement"),
        dct_provenance=Property("provenance", "来源", of_class="dct:ProvenanceStatement"),
        dct_accrualPeriodicity=Property("frequency", "更新频率", 0, 1, "dct:Frequency"),
        dct_spatial=Property("geographical coverage", "空间范围", of_class="dct:Location"),
        dcat_keyword=Property("keywords", "关键字"),
        dcat_version=Property("version", "版本", most=1),
        dcat_theme=Property("theme", "所在领域", of_class="skos:Concept"),
        dcat_distribution=Property("distribution", "分发", of_class="dcat:Distribution"),
    ),
    "dcat:Distribution": _table(
        dcat_accessURL=Property("access address", "访问地址", 1, thing=True),
        dcat_accessService=Property("access service", "访问服务", of_class="dcat:DataService"),
    ),
    "dcat:DataService": _table(
        dct_title=Property("title", "名称", 1),
        dcat_endpointURL=Property("endpoint address", "服务地址", 1, thing=True),
    ),
    "foaf:Agent": _table(foaf_name=Property("name", "名称", 1)),
    "skos:Concept": _table(skos_prefLabel=Property("preferred label", "首选标签", 1)),
}


def findings(node: Node) -> list[GateRule]:
    """Everything in which a node, and what it holds, falls short of the profile, in the order written."""
    found: list[GateRule] = []
    kind = str(node.get("@type", ""))
    of = kind or str(node.get("@id", ""))
    for name, one in PROFILE.get(kind, {}).items():
        found += _counted(of, name, one, _values(node.get(name)))
    for name, given in node.items():
        for value in _values(given):
            if not name.startswith("@") and isinstance(value, dict) and "@value" not in value:
                found += findings(value)
    return found


def _counted(of: str, name: str, one: Property, values: list[Any]) -> Iterator[GateRule]:
    about = {"of": of, "field": name, "name": one.name, "name_zh": one.zh}
    present = [value for value in values if not _is_empty(value)]
    if len(present) < one.least:
        yield DcatPropertyMissing(**about)
    if one.most is not None and len(present) > one.most:
        yield DcatPropertyWrong(**about, problem=f"stands more than {one.most} time", problem_zh=f"超过 {one.most} 个")
    for value in present:
        wrong = _wrong_kind(one, value)
        if wrong is not None:
            yield DcatPropertyWrong(**about, problem=wrong[0], problem_zh=wrong[1])


def _wrong_kind(one: Property, value: Any) -> tuple[str, str] | None:
    is_text = not isinstance(value, dict) or "@value" in value
    if not one.of_class and not one.thing:
        return None if is_text else ("must be a text", "应为文本")
    if is_text:
        return "must be a thing, not a text", "应为资源，不能是文本"
    if "@id" in value and not _ADDRESS.fullmatch(str(value["@id"])):
        return "has no valid address", "地址无效"
    if one.of_class and value.get("@type") != one.of_class:
        return f"must be of class {one.of_class}", f"应属于类 {one.of_class}"
    return None


def _values(given: Any) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def _is_empty(value: Any) -> bool:
    return value == "" or (isinstance(value, dict) and value.get("@value") == "")
