"""The fields a description may have: their names for people, their limits, their code lists.

One table serves the form, the file an officer edits, the strict decoder and the publish gate, so that a missing field
is named alike everywhere. Limits are in characters and match the columns of the models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hutong.exchange.shaping.masks import Mask
from hutong.vocabulary import codes
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.text import checked

MOST_ITEMS = 2000  # of one resource; an entry must fit one message; owner: catalogue
MOST_KEYWORDS = 30


class UnknownField(Refused):
    """A description has no field {field}."""

    zh = "目录描述没有字段 {field}。"
    code = "unknown_field"
    status = 400
    next_en = "Take it out; hutong resource draft --out shows every field."
    next_zh = "请删除该字段；hutong resource draft --out 可列出全部字段。"


class WrongValue(Refused):
    """The value of {field} is wrong: {reason}."""

    zh = "字段 {field} 的值有误：{reason}。"
    code = "wrong_value"
    status = 400
    next_en = "Correct it and send it again."
    next_zh = "请更正后重新提交。"


@dataclass(frozen=True)
class Field:
    """A line of text. `required` is what the publish gate demands."""

    name: str
    zh: str
    en: str
    limit: int = 200
    lines: bool = False
    required: bool = False
    codes: CodeList | None = None

    def read(self, value: Any, where: str) -> Any:
        """raises   WrongText, WrongValue"""
        text = checked(where, value, limit=self.limit, lines=self.lines)
        if self.codes is not None and text and text not in self.codes:
            raise WrongValue(
                field=where,
                reason="one of " + ", ".join(self.codes.codes),
                reason_zh="应为以下之一：" + "、".join(self.codes.codes),
            )
        return text


@dataclass(frozen=True)
class ListField(Field):
    """Several texts, each once, in the order given."""

    most: int = MOST_KEYWORDS

    def read(self, value: Any, where: str) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) > self.most:
            raise WrongValue(
                field=where,
                reason=f"a list of at most {self.most} texts",
                reason_zh=f"应为至多 {self.most} 个文本的列表",
            )
        one = Field(self.name, self.zh, self.en, self.limit, codes=self.codes)
        texts = [one.read(text, f"{where}[{position}]") for position, text in enumerate(value)]
        return list(dict.fromkeys(text for text in texts if text))


@dataclass(frozen=True)
class FlagField(Field):
    def read(self, value: Any, where: str) -> Any:
        if not isinstance(value, bool):
            raise WrongValue(field=where, reason="true or false", reason_zh="应为 true 或 false")
        return value


@dataclass(frozen=True)
class GradeField(Field):
    def read(self, value: Any, where: str) -> Any:
        if isinstance(value, bool) or value not in codes.GRADES:
            raise WrongValue(field=where, reason="a grade from 1 to 4", reason_zh="应为 1 至 4 级")
        return int(value)


@dataclass(frozen=True)
class AreaField(Field):
    def read(self, value: Any, where: str) -> Any:
        text = checked(where, value, limit=self.limit)
        if text and not (text.isascii() and text.isdigit() and len(text) in (6, 9, 12)):
            raise WrongValue(
                field=where, reason="an area code of 6, 9 or 12 digits", reason_zh="应为 6、9 或 12 位行政区划代码"
            )
        return text


@dataclass(frozen=True)
class PatternField(Field):
    """A text of a form; `hint` says which, in Chinese and in English."""

    pattern: str = ""
    hint: tuple[str, str] = ("", "")

    def read(self, value: Any, where: str) -> Any:
        text = checked(where, value, limit=self.limit)
        if text and not re.fullmatch(self.pattern, text, re.ASCII):
            raise WrongValue(field=where, reason=self.hint[1], reason_zh=self.hint[0])
        return text


CODE = r"[123]\d{5,20}/[0-9A-Za-z]{1,20}"
CODE_HINT = (
    "应为类 1 位、项 2 位、目 3 位、细目若干位、斜线、顺序码",
    "class 1, item 2, branch 3, twig any digits, a stroke, a number",
)


@dataclass(frozen=True)
class MaskField(Field):
    """A mask document. Its meaning is the data plane's; an unknown one is refused there and here."""

    def read(self, value: Any, where: str) -> Any:
        return Mask.from_document(value, where).to_document()


def _table(*fields: Field) -> dict[str, Field]:
    return {field.name: field for field in fields}


RESOURCE_FIELDS = _table(
    Field("title_zh", "数据目录名称", "title in Chinese", required=True),
    Field("title_en", "英文名称", "title in English"),
    Field("summary_zh", "摘要", "summary in Chinese", 4000, lines=True, required=True),
    Field("summary_en", "英文摘要", "summary in English", 4000, lines=True),
    ListField("keywords", "关键字", "keywords", 40),
    Field("category", "目录分类", "class of the catalogue", required=True, codes=codes.CATEGORIES),
    Field("theme", "所在领域", "theme", required=True, codes=codes.THEMES),
    PatternField("branch", "目", "third level (目)", 3, pattern=r"\d{3}", hint=("应为 3 位数字", "3 digits")),
    PatternField("twig", "细目", "fourth level (细目)", 14, pattern=r"\d+", hint=("应为数字", "digits")),
    PatternField("code", "目录代码", "catalogue code", 60, pattern=CODE, hint=CODE_HINT),
    Field("data_format", "数据格式", "data format", required=True, codes=codes.DATA_FORMATS),
    Field("update_cycle", "更新频率", "update cycle", required=True, codes=codes.UPDATE_CYCLES),
    Field("attribute", "共享属性", "sharing attribute", required=True, codes=codes.ATTRIBUTES),
    ListField("sharing_modes", "共享方式", "sharing modes", required=True, codes=codes.SHARING_MODES, most=4),
    Field("conditions", "使用条件（共享范围）", "conditions of use (scope)", 2000, lines=True),
    ListField("permitted_purposes", "可用于的用途", "permitted purposes", 60, codes=codes.PURPOSES),
    Field("legal_citation", "不予共享依据", "legal citation", 1000, lines=True),
    Field("openness", "开放属性", "openness", codes=codes.OPENNESS),
    Field("open_conditions", "开放条件", "conditions of openness", 1000, lines=True),
    Field("national_level", "数据分类分级", "national level", required=True, codes=codes.NATIONAL_LEVELS),
    Field("source_system", "来源信息系统", "source system", required=True),
    Field("business_matter", "业务事项", "business matter"),
    AreaField("area_code", "行政区划代码", "area code", 12),
    Field("time_range", "时间范围", "time range", 60),
    ListField("related", "关联资源代码", "codes of related resources", 60),
)

ITEM_FIELDS = _table(
    Field("title_zh", "中文名称", "title in Chinese", required=True),
    Field("title_en", "英文名称", "title in English"),
    Field("element", "数据元", "data element", 60),
    Field("attribute", "共享属性", "sharing attribute", codes=codes.ATTRIBUTES),
    GradeField("grade", "信息项分级", "grade"),
    FlagField("sensitive", "敏感", "sensitive"),
    FlagField("secret", "涉密", "secret"),
    FlagField("nullable", "可空", "may be empty"),
    FlagField("key", "主键", "key"),
    MaskField("mask", "脱敏规则", "mask"),
    Field("note", "说明", "note", 300),
)


def read_resource(given: Any) -> dict[str, Any]:
    """The fields of a description that were given, each checked.

    raises   UnknownField, WrongText, WrongValue
    """
    return _read(RESOURCE_FIELDS, given, "resource", "")


def read_item(given: Any, where: str) -> dict[str, Any]:
    """The fields of an item that were given, without its name.

    raises   UnknownField, WrongText, WrongValue, BadMask
    """
    return _read(ITEM_FIELDS, given, where, where + ".")


def _read(table: dict[str, Field], given: Any, what: str, prefix: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise WrongValue(field=what, reason="an object with fields is expected", reason_zh="应为含字段的对象")
    for name in given:
        if name not in table:
            raise UnknownField(field=f"{prefix}{str(name)[:60]}")
    return {name: table[name].read(value, prefix + name) for name, value in given.items()}
