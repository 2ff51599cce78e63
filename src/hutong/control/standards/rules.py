"""The house's rules on standards: who decides, what a map may say, whose definitions are one."""

from __future__ import annotations

from datetime import date

from hutong.vocabulary.errors import Refused
from hutong.vocabulary.rulebook import Rule

FOUNDED = date(2026, 1, 1)  # of the house's own rules
MOST_CODES = 100_000  # of one table; GB/T 2260 with its history has some 10,000
MOST_PAIRS = 20_000  # of one map: they stand in the conditions that go to the source


class OwnStandard(Rule):
    """You proposed this version, so another person must approve it."""

    zh = "该版本由您提出，须由他人批准。"
    code = "own_standard"
    rule = "S-1"
    since = FOUNDED
    next_en = "Ask the supervisor."
    next_zh = "请主管部门批准。"


class TargetUnknown(Rule):
    """The map leads to codes that the table {table} does not have: {codes}."""

    zh = "映射的目标代码不在代码表 {table} 中：{codes}。"
    code = "map_target_unknown"
    status = 400
    rule = "S-2"
    since = FOUNDED
    next_en = "Correct them; a code map may lead only to codes that are in force."
    next_zh = "请更正；代码映射只能指向有效代码。"


class NotTheKeepers(Rule):
    """The definition {name} does not come from the region's own node."""

    zh = "定义 {name} 并非来自区域节点。"
    code = "definition_not_the_keepers"
    status = 422
    rule = "S-3"
    since = FOUNDED
    next_en = "The region's definitions are one: the region's node proposes and approves them."
    next_zh = "区域标准须统一：应由区域节点提出并批准。"


class BadDefinition(Refused):
    """The definition cannot be read: {reason}."""

    zh = "定义无法读取：{reason}。"
    code = "bad_definition"
    status = 400
    next_en = "Correct it; docs/standards.md describes the files."
    next_zh = "请更正；文件格式见 docs/standards.md。"


class UnknownElement(Refused):
    """There is no data element {element}."""

    zh = "没有数据元 {element}。"
    code = "unknown_element"
    status = 400
    next_en = "Choose one of the region's elements: hutong standard list"
    next_zh = "请从区域数据元中选择：hutong standard list。"


class ElementEnded(Refused):
    """The data element {element} is no longer in use; its successor: {successor}."""

    zh = "数据元 {element} 已停用；后继数据元：{successor}。"
    code = "element_ended"
    status = 409
    next_en = "Use its successor, or another of the region's elements: hutong standard list"
    next_zh = "请使用后继数据元，或选择其他区域数据元：hutong standard list。"


class NothingChanges(Refused):
    """Version {version} of {name} says the same already."""

    zh = "{name} 的第 {version} 版内容相同。"
    code = "nothing_changes"
    status = 409
    next_en = "Nothing needs to be done."
    next_zh = "无需办理。"


def check_four_eyes(proposed_by: str, username: str) -> None:
    """S-1. Whoever proposed a version may not approve it."""
    if proposed_by == username:
        raise OwnStandard()
