"""What the demonstration's departments publish: the words an officer types into the description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hutong.demo.region import JIANGSU, NATION, SHANGHAI, ZHEJIANG, Seat
from hutong.demo.seed.files import write_air, write_companies, write_holidays, write_inspections, write_people


@dataclass(frozen=True)
class Published:
    """One resource: where its data comes from and how it is described."""

    seat: Seat
    file_name: str
    write: Callable[[Path], None]
    name: str  # of the source
    fields: dict[str, Any]
    items: list[dict[str, Any]]
    table: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def description(self) -> dict[str, Any]:
        return {**self.fields, "national_level": "general", "items": self.items}


def _item(name: str, title_zh: str, title_en: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "title_zh": title_zh, "title_en": title_en, **more}


COMPANIES = Published(
    seat=SHANGHAI,
    file_name="enterprise.db",
    table="enterprise",
    write=write_companies,
    name="企业登记库",
    fields={
        "title_zh": "上海市企业登记基本信息",
        "title_en": "Shanghai enterprise register",
        "summary_zh": "本市登记的企业基本信息（演示数据，均为虚构）。",
        "summary_en": "Enterprises registered in Shanghai (demonstration: all invented).",
        "keywords": ["企业", "法人", "登记", "enterprise"],
        "category": "basic",
        "theme": "legal_entity",
        "update_cycle": "3",
        "attribute": "unconditional",
        "sharing_modes": ["interface", "batch"],
        "source_system": "企业登记系统（演示）",
        "business_matter": "企业登记",
    },
    items=[
        _item("uscc", "统一社会信用代码", "unified social credit code", key=True, element="uscc"),
        _item("name", "企业名称", "name", element="organisation_name"),
        _item("legal_representative", "法定代表人", "legal representative", sensitive=True, mask={"action": "name"}),
        _item("phone", "联系电话", "telephone", element="phone", sensitive=True, mask={"action": "phone"}),
        _item("district", "所在区", "district"),
        _item("area_code", "行政区划代码", "area code", element="area_code"),
        _item("industry", "行业代码", "industry", element="industry"),
        _item("registered_capital_wan", "注册资本（万元）", "registered capital (10,000 yuan)"),
        _item("established_on", "成立日期", "established on"),
        _item("state", "登记状态", "state"),
    ],
)
INSURED = Published(
    seat=JIANGSU,
    file_name="insured.csv",
    write=write_people,
    name="参保人员信息",
    fields={
        "title_zh": "江苏省基本医疗保险参保信息",
        "title_en": "Jiangsu insured persons",
        "summary_zh": "参保人员的参保状态与缴费情况（演示数据，出生日期均不存在）。",
        "summary_en": "Insurance state of insured persons (demonstration: with birth dates that no calendar has).",
        "keywords": ["参保", "医疗保险", "异地就医", "insurance"],
        "category": "thematic",
        "theme": "health",
        "update_cycle": "5",
        "attribute": "conditional",
        "conditions": "限医疗保障、社会保险经办机构在办理具体业务时使用。",
        "permitted_purposes": ["medical_settlement", "social_security"],
        "sharing_modes": ["interface"],
        "source_system": "社会保险信息系统（演示）",
        "business_matter": "医疗保险参保登记",
    },
    items=[
        _item(
            "identity_number", "公民身份号码", "identity number",
            key=True, sensitive=True, grade=3, mask={"action": "identity_number"},
        ),
        _item("name", "姓名", "name", sensitive=True, grade=3, mask={"action": "name"}),
        _item("phone", "手机号码", "telephone", sensitive=True, grade=3, mask={"action": "phone"}),
        _item("city", "参保地", "city"),
        _item("area_code", "行政区划代码", "area code"),
        _item("insurance", "险种", "kind of insurance"),
        _item("enrolled_on", "参保日期", "enrolled on", mask={"action": "month"}),
        _item("months_paid", "累计缴费月数", "months paid", grade=2),
        _item("last_paid_month", "最近缴费月份", "last month paid"),
        _item("base_yuan", "缴费基数（元）", "contribution base (yuan)", sensitive=True, grade=3),
    ],
)  # fmt: skip
AIR = Published(
    seat=ZHEJIANG,
    file_name="air.parquet",
    write=write_air,
    name="城市空气质量日均值",
    fields={
        "title_zh": "浙江省城市空气质量日数据",
        "title_en": "Zhejiang daily air quality by city",
        "summary_zh": "各设区市每日污染物平均浓度（演示数据，均为虚构）。",
        "summary_en": "Daily mean concentrations by city (demonstration: all invented).",
        "keywords": ["空气质量", "PM2.5", "臭氧", "air quality"],
        "category": "thematic",
        "theme": "environment",
        "update_cycle": "3",
        "attribute": "unconditional",
        "sharing_modes": ["interface", "batch", "file"],
        "source_system": "生态环境监测系统（演示）",
    },
    items=[
        _item("city", "城市", "city"),
        _item("day", "日期", "day"),
        _item("pm25", "细颗粒物（微克/立方米）", "PM2.5 (µg/m³)"),
        _item("pm10", "可吸入颗粒物（微克/立方米）", "PM10 (µg/m³)"),
        _item("no2", "二氧化氮（微克/立方米）", "NO₂ (µg/m³)"),
        _item("o3_8h", "臭氧八小时（微克/立方米）", "ozone, 8 h (µg/m³)"),
    ],
)
CALENDAR = Published(
    seat=NATION,
    file_name="working-days.csv",
    write=write_holidays,
    name="工作日历",
    fields={
        "title_zh": "全国工作日历",
        "title_en": "National working calendar",
        "summary_zh": "2024 至 2025 年每日是否工作日，含调休。",
        "summary_en": "Working days of 2024 and 2025, with make-up days.",
        "keywords": ["工作日", "节假日", "调休", "working day"],
        "category": "departmental",
        "theme": "other",
        "update_cycle": "8",
        "attribute": "unconditional",
        "sharing_modes": ["interface", "file"],
        "source_system": "工作日历编制系统（演示）",
    },
    items=[
        _item("day", "日期", "day", key=True),
        _item("weekday", "星期", "weekday"),
        _item("working", "是否工作日", "working day"),
        _item("exception", "调整类型", "exception"),
    ],
)
INSPECTIONS = Published(
    seat=NATION,
    file_name="inspections.csv",
    write=write_inspections,
    name="食品抽检结果",
    fields={
        "title_zh": "全国食品安全抽检结果",
        "title_en": "Food inspections, nationwide",
        "summary_zh": "各县（市、区）食品安全监督抽检结果（演示数据，均为虚构）。",
        "summary_en": "Results of food inspections by county (demonstration: all invented).",
        "keywords": ["食品安全", "抽检", "回流", "inspection"],
        "category": "thematic",
        "theme": "market",
        "update_cycle": "5",
        "attribute": "conditional",
        "conditions": "限市场监督管理部门；属地数据依法回流。",
        "permitted_purposes": ["supervision", "government_service"],
        "sharing_modes": ["batch"],
        "source_system": "食品抽检信息系统（演示）",
        "business_matter": "食品安全监督抽检",
    },
    items=[
        _item("number", "抽检编号", "inspection number", key=True, attribute="conditional"),
        _item("area_code", "行政区划代码", "area code", element="area_code", attribute="conditional"),
        _item("food", "食品类别", "kind of food", attribute="conditional"),
        _item("day", "抽检日期", "day", attribute="conditional"),
        _item("passed", "是否合格", "passed", attribute="conditional"),
    ],
)
PUBLISHED = (COMPANIES, INSURED, AIR, CALENDAR)
