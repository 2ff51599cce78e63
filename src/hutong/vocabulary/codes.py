"""Code lists of the catalogue. A code is stable and travels; its names are for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Code:
    """One code with its names."""

    code: str
    zh: str
    en: str

    def name(self, language: Literal["zh", "en"] = "en") -> str:
        return self.zh if language == "zh" else self.en


class CodeList:
    """A closed list of codes, in the order people expect."""

    def __init__(self, codes: Iterable[tuple[str, str, str]]) -> None:
        self._codes = {code: Code(code, zh, en) for code, zh, en in codes}

    def __contains__(self, code: object) -> bool:
        return code in self._codes

    def __iter__(self) -> Iterator[Code]:
        return iter(self._codes.values())

    def __getitem__(self, code: str) -> Code:
        return self._codes[code]

    def __len__(self) -> int:
        return len(self._codes)

    def name(self, code: str, language: Literal["zh", "en"] = "en") -> str:
        """The code's name, or the code itself where it is not in the list."""
        known = self._codes.get(code)
        return known.name(language) if known else code

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self._codes)


# The national catalogue template (政务信息资源目录编制指南): how often the source is updated.
UPDATE_CYCLES = CodeList([
    ("1", "不定时", "irregular"),
    ("2", "实时", "real time"),
    ("3", "每日", "daily"),
    ("4", "每周", "weekly"),
    ("5", "每月", "monthly"),
    ("6", "每季度", "quarterly"),
    ("7", "每半年", "half-yearly"),
    ("8", "每年", "yearly"),
    ("9", "其他", "other"),
])  # fmt: skip

# Decree 809 article 14, from the least to the most strict.
ATTRIBUTES = CodeList([
    ("unconditional", "无条件共享", "unconditional"),
    ("conditional", "有条件共享", "conditional"),
    ("refused", "不予共享", "not shared"),
])  # fmt: skip

# Decree 809 article 22.
SHARING_MODES = CodeList([
    ("interface", "服务接口", "service interface"),
    ("batch", "批量交换", "batch exchange"),
    ("file", "文件下载", "file download"),
    ("subscription", "数据订阅", "subscription to changes"),
])  # fmt: skip

# The national template's first class of the catalogue code; `digit` opens the code.
CATEGORIES = CodeList([
    ("basic", "基础信息资源", "basic"),
    ("thematic", "主题信息资源", "thematic"),
    ("departmental", "部门信息资源", "departmental"),
])  # fmt: skip
CATEGORY_DIGITS = {"basic": "1", "thematic": "2", "departmental": "3"}

# The national template: whether what may be shared is also open to society (开放属性).
OPENNESS = CodeList([
    ("open", "开放", "open"),
    ("conditional", "有条件开放", "open on conditions"),
    ("closed", "不开放", "not open"),
])  # fmt: skip

# GB/T 43697-2024.
NATIONAL_LEVELS = CodeList([
    ("general", "一般数据", "general"),
    ("important", "重要数据", "important"),
    ("core", "核心数据", "core"),
])  # fmt: skip

DATA_FORMATS = CodeList([
    ("database", "数据库", "database"),
    ("csv", "CSV 文件", "CSV file"),
    ("parquet", "Parquet 文件", "Parquet file"),
    ("excel", "电子表格", "spreadsheet"),
])  # fmt: skip

THEMES = CodeList([
    ("population", "人口", "population"),
    ("legal_entity", "法人", "legal entities"),
    ("geography", "自然资源和空间地理", "natural resources and geography"),
    ("credit", "社会信用", "credit"),
    ("certificates", "电子证照", "electronic certificates"),
    ("environment", "生态环境", "environment"),
    ("employment", "就业和社会保障", "employment and social security"),
    ("health", "医疗健康", "health"),
    ("education", "教育", "education"),
    ("transport", "交通运输", "transport"),
    ("housing", "住房和城乡建设", "housing and construction"),
    ("market", "市场监管", "market regulation"),
    ("taxation", "财政税务", "finance and taxation"),
    ("agriculture", "农业农村", "agriculture"),
    ("culture", "文化旅游", "culture and tourism"),
    ("safety", "公共安全", "public safety"),
    ("other", "其他", "other"),
])  # fmt: skip

# What a consumer may use data for. A purpose is a statutory duty, never "other": decree 809 article 25 binds
# use to the purpose that was agreed, and nothing can be measured against a purpose that says nothing.
PURPOSES = CodeList([
    ("licensing", "行政许可", "administrative licensing"),
    ("government_service", "政务服务事项办理", "handling a government service case"),
    ("public_service", "公共服务", "public services"),
    ("supervision", "行政监管和执法", "supervision and enforcement"),
    ("credit", "公共信用监管", "public credit supervision"),
    ("social_security", "社会保障经办", "social security administration"),
    ("medical_settlement", "医疗保障结算", "medical insurance settlement"),
    ("environment", "生态环境联保共治", "joint environmental protection"),
    ("emergency", "应急处置", "emergency response"),
    ("statistics", "统计分析", "statistics"),
    ("macro_decision", "宏观决策", "policy and planning"),
    ("reconciliation", "数据校核和比对", "data verification"),
])  # fmt: skip

# What a consumer finds wrong with a record (decree 809 article 26).
FAULTS = CodeList([
    ("wrong_value", "数值有误", "a value is wrong"),
    ("missing_value", "缺少应有的值", "a value is missing"),
    ("out_of_date", "未及时更新", "it is out of date"),
    ("wrong_form", "格式或代码不符合标准", "its form or code breaks the standard"),
    ("wrong_subject", "主体对应错误", "it belongs to somebody else"),
    ("duplicate", "重复记录", "the record stands twice"),
    ("no_such_record", "记录不应存在", "the record should not be there"),
])  # fmt: skip

# What the provider found when it had verified.
FINDINGS = CodeList([
    ("corrected", "已更正", "corrected"),
    ("not_wrong", "核实无误", "not wrong"),
    ("forwarded", "已转数源部门", "forwarded to the true source"),
])  # fmt: skip

# Why an agreement's data is stopped for now, or for good (decree 809 article 27).
SUSPENSION_CAUSES = CodeList([
    ("misuse", "超出约定用途或范围使用", "use beyond the agreed purpose or scope"),
    ("incident", "数据安全事件", "a data security incident"),
    ("secrecy", "保密紧急情况", "a secrecy emergency"),
    ("own_pause", "本方暂不使用", "our own pause"),
])  # fmt: skip
ENDING_CAUSES = CodeList([
    ("purpose_met", "使用目的已实现", "the purpose is met"),
    ("impossible", "使用目的无法实现", "the purpose cannot be met"),
    ("not_needed", "不再需要", "no longer needed"),
    ("misuse", "逾期未整改", "not rectified in time"),
    ("secrecy", "保密紧急情况", "a secrecy emergency"),
    ("announced_stop", "已报备的停止服务", "an announced stop of the service"),
])  # fmt: skip
SERVICE_CHANGES = CodeList([
    ("stop", "停止服务", "the service stops"),
    ("change", "变更服务", "the service changes"),
])  # fmt: skip

GRADES = (1, 2, 3, 4)


def strictest(attributes: Iterable[str]) -> str:
    """The strictest of some sharing attributes; empty when there are none."""
    order = ATTRIBUTES.codes
    known = [attribute for attribute in attributes if attribute in ATTRIBUTES]
    return max(known, key=order.index, default="")
