"""A department's register of invented companies, and the description it is published under."""

from __future__ import annotations

from pathlib import Path

from hutong.vocabulary.identifiers import credit_check

MARKET, HEALTH = "11370800MB28559184", "11430000006122244L"
COMPLETE = {
    "title_zh": "企业登记信息",
    "title_en": "Registered companies",
    "summary_zh": "在本省登记的企业",
    "category": "basic",
    "theme": "legal_entity",
    "update_cycle": "3",
    "attribute": "conditional",
    "conditions": "承担市场监管职责的部门",
    "permitted_purposes": ["supervision", "credit"],
    "sharing_modes": ["interface", "batch"],
    "source_system": "企业登记系统",
    "keywords": ["企业", "法人"],
}
ITEMS = [
    {"name": "uscc", "title_zh": "统一社会信用代码", "key": True},
    {"name": "company", "title_zh": "企业名称", "attribute": "unconditional"},
    {"name": "contact", "title_zh": "联系电话", "grade": 3, "sensitive": True, "mask": {"action": "phone"}},
]


def company(number: int) -> str:
    """A valid credit code of a block that no registry issues."""
    body = f"91320509MA{number:07d}"
    return body + credit_check(body)


def write_companies(file: Path, header: str = "uscc,company,contact,registered,capital") -> Path:
    """40 rows, told by a number."""
    lines = [f"{company(n)},公司{n},138{n:08d},2001-01-{n % 28 + 1:02d},{n}.50" for n in range(40)]
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file
