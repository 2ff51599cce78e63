"""The columns of the workbook, and each cell both ways. Pure.

The template's own columns come first, under its own headings; what a description says beyond the template follows, so
that nothing is lost on the way out and in. A resource fills a row with its first item and one more row for every other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hutong.vocabulary import codes
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import Refused

SEPARATORS = re.compile(r"[、，,；;]")
YES, NO = ("是", "true", "yes", "y", "1"), ("否", "false", "no", "n", "0")
# The guide's letters, and what people write instead. A length in brackets may follow.
TYPES = {
    "string": ("字符型C", "字符型", "c", "备注型M", "备注型", "m", "通用型G", "g", "string", "varchar", "text", "文本"),
    "int64": ("整型I", "整型", "i", "int", "int64", "bigint", "整数"),
    "decimal": ("数值型N", "数值型", "n", "货币型Y", "货币型", "y", "decimal", "numeric"),
    "double": ("双精度型B", "双精度型", "b", "浮点型F", "浮点型", "f", "double", "float"),
    "date": ("日期型D", "日期型", "d", "date", "日期"),
    "timestamp": ("日期时间型T", "日期时间型", "t", "timestamp", "datetime", "日期时间"),
    "bool": ("逻辑型L", "逻辑型", "l", "bool", "boolean", "布尔"),
}
# What older editions of the template and other products write for our codes.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "basic": ("基础", "基础类", "1"),
    "thematic": ("主题", "主题类", "2"),
    "departmental": ("部门", "部门类", "3"),
    "database": ("数据库类", "库表"),
    "csv": ("csv",),
    "parquet": ("parquet",),
    "excel": ("excel", "xls", "xlsx", "电子表格类"),
    "unconditional": ("无条件", "1"),
    "conditional": ("有条件", "2"),
    "refused": ("不共享", "不予", "3"),
    "interface": ("接口", "接口方式", "数据接口"),
    "batch": ("库表", "库表交换", "批量"),
    "file": ("文件", "文件交换"),
    "open": ("是",),
    "closed": ("否",),
    "6": ("每季",),
    "8": ("每年度",),
}


class BadCell(Refused):
    """The cell of {heading} cannot be read: {reason}."""

    zh = "“{heading}”一栏无法读取：{reason}。"
    code = "bad_cell"
    status = 422
    next_en = "Correct the cell and import the workbook again."
    next_zh = "请更正该单元格后重新导入。"


@dataclass(frozen=True)
class Column:
    """One column. `out` gives a cell's text, `back` reads one that is not empty; "" stands for what is not said."""

    heading: str
    name: str  # the field of the description; "name", "type" for the item's own
    of_item: bool = False
    out: Callable[[Any], str] = str
    back: Callable[[str, str], Any] = lambda text, _: text
    aliases: tuple[str, ...] = ()


def _coded(known: CodeList) -> tuple[Callable[[Any], str], Callable[[str, str], Any]]:
    words: dict[str, str] = {}
    for one in known:
        spoken = (one.code, one.zh, one.en, *(SYNONYMS.get(one.code, ())))
        words |= {_plain(word): one.code for word in spoken if _plain(word) not in words}

    def back(text: str, heading: str) -> str:
        found = words.get(_plain(text))
        if found is None:
            raise _not_one_of([one.zh for one in known], heading)
        return found

    return lambda code: known.name(code, "zh") if code else "", back


def _listed(known: CodeList | None) -> tuple[Callable[[Any], str], Callable[[str, str], Any]]:
    out, back = _coded(known) if known else (str, lambda text, _: text)

    def write(values: Any) -> str:
        texts = [out(one) for one in values]
        if any(SEPARATORS.search(one) for one in texts):
            return "\n".join(texts) + "\n"  # lines then, each a value; a single one ends in one as well
        return "、".join(texts)

    def read(text: str, heading: str) -> list[Any]:
        parts = text.split("\n") if "\n" in text else SEPARATORS.split(text)
        return [back(part.strip(), heading) for part in parts if part.strip()]

    return write, read


def _flag_out(value: Any) -> str:
    return "是" if value else "否"


def _flag_back(text: str, heading: str) -> bool:
    if _plain(text) in (*YES, *NO):
        return _plain(text) in YES
    raise BadCell(heading=heading, reason="是 or 否", reason_zh="应为“是”或“否”")


def _type_back(text: str, heading: str) -> str:
    word = _plain(re.sub(r"[(（].*", "", text))
    for kind, words in TYPES.items():
        if word in (_plain(one) for one in words):
            return kind
    raise _not_one_of([words[0] for words in TYPES.values()], heading)


def _not_one_of(choices: list[str], heading: str) -> BadCell:
    return BadCell(heading=heading, reason="one of " + ", ".join(choices), reason_zh="应为：" + "、".join(choices))


def _branch_back(text: str, _: str) -> str:
    """Spreadsheets read 001 as the number 1."""
    return text.strip().zfill(3)


def _grade_back(text: str, heading: str) -> int:
    word = text.strip().upper().removeprefix("L").removesuffix("级")
    if word not in ("1", "2", "3", "4"):
        raise BadCell(heading=heading, reason="1 to 4", reason_zh="应为 1 至 4")
    return int(word)


def _mask_out(value: Any) -> str:
    return "" if value.get("action", "keep") == "keep" else json.dumps(value, ensure_ascii=False)


def _mask_back(text: str, heading: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = 'a rule such as {"action": "name"}'
        raise BadCell(heading=heading, reason=reason, reason_zh='应为规则，例如 {"action": "name"}') from error


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()


def _column(heading: str, name: str, *aliases: str, both: Any = None, of_item: bool = False) -> Column:
    out, back = both or (str, lambda text, _: text)
    return Column(heading, name, of_item, out, back, aliases)


_FLAG = (_flag_out, _flag_back)
ELEMENT = "element"
IDENTITY, PROVIDER, PROVIDER_CODE, PUBLISHED_ON = "id", "provider", "provider_code", "published_on"
TEMPLATE = (
    _column("信息资源分类（类）", "category", "类", "信息资源分类", both=_coded(codes.CATEGORIES)),
    _column("信息资源分类（项）", "theme", "项", both=_coded(codes.THEMES)),
    _column("信息资源分类（目）", "branch", "目", both=(str, _branch_back)),
    _column("信息资源分类（细目）", "twig", "细目"),
    _column("信息资源名称", "title_zh", "名称", "数据目录名称", "资源名称"),
    _column("信息资源代码", "code", "代码", "资源代码"),
    _column("信息资源提供方", PROVIDER, "提供方", "提供单位"),
    _column("信息资源提供方代码", PROVIDER_CODE, "提供方代码"),
    _column("信息资源摘要", "summary_zh", "摘要"),
    _column("信息资源格式", "data_format", "格式", both=_coded(codes.DATA_FORMATS)),
    _column("信息项名称", "title_zh", of_item=True),
    _column("数据类型", "type", of_item=True, both=(lambda kind: TYPES[kind][0], _type_back)),
    _column("共享类型", "attribute", "共享属性", both=_coded(codes.ATTRIBUTES)),
    _column("共享条件", "conditions"),
    _column("共享方式", "sharing_modes", both=_listed(codes.SHARING_MODES)),
    _column("是否向社会开放", "openness", "开放类型", "开放属性", both=_coded(codes.OPENNESS)),
    _column("开放条件", "open_conditions"),
    _column("更新周期", "update_cycle", "更新频率", both=_coded(codes.UPDATE_CYCLES)),
    _column("发布日期", PUBLISHED_ON),
    _column("关联资源代码", "related", "关联信息资源代码", both=_listed(None)),
)
BEYOND = (
    _column("英文名称", "title_en"),
    _column("英文摘要", "summary_en"),
    _column("关键字", "keywords", both=_listed(None)),
    _column("可用于的用途", "permitted_purposes", both=_listed(codes.PURPOSES)),
    _column("不予共享依据", "legal_citation"),
    _column("数据分类分级", "national_level", both=_coded(codes.NATIONAL_LEVELS)),
    _column("来源信息系统", "source_system"),
    _column("业务事项", "business_matter"),
    _column("行政区划代码", "area_code"),
    _column("时间范围", "time_range"),
    _column("资源标识", IDENTITY),
    _column("信息项代码", "name", "信息项英文名称", "技术名称", of_item=True),
    _column("信息项英文名", "title_en", of_item=True),
    _column("数据元", ELEMENT, of_item=True),
    _column("信息项共享类型", "attribute", of_item=True, both=_coded(codes.ATTRIBUTES)),
    _column("信息项分级", "grade", of_item=True, both=(str, _grade_back)),
    _column("敏感", "sensitive", of_item=True, both=_FLAG),
    _column("涉密", "secret", of_item=True, both=_FLAG),
    _column("可空", "nullable", of_item=True, both=_FLAG),
    _column("主键", "key", of_item=True, both=_FLAG),
    _column("脱敏规则", "mask", of_item=True, both=(_mask_out, _mask_back)),
    _column("说明", "note", of_item=True),
)
COLUMNS = (*TEMPLATE, *BEYOND)
HEADINGS = {_plain(word): one for one in COLUMNS for word in (one.heading, *one.aliases)}


def speaking(column: Column, elements: CodeList) -> Column:
    """The column of data elements, whose words are not the program's but the region's; any other as it is."""
    if column.name != ELEMENT:
        return column
    out, back = _coded(elements)
    return replace(column, out=out, back=back)


def heading(text: str) -> Column | None:
    """The column a heading means; None for one that is none of ours."""
    return HEADINGS.get(_plain(text).replace("(", "（").replace(")", "）"))
