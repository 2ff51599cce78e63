"""Who takes part in the demonstration: six nodes, their departments, accounts and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hutong.demo.seed.companies import credit_code

FIRST_PORT = 8310
PASSWORD = "yangtze-delta-2026"  # noqa: S105 - of invented accounts, on this machine only, shown to everyone


@dataclass(frozen=True)
class Person:
    """An account that people may sign in with."""

    username: str
    role: str
    name_zh: str
    name_en: str


STAFF = (
    Person("officer", "officer", "数据专员", "data officer"),
    Person("head", "head", "共享工作机构负责人", "head of the sharing body"),
    Person("steward", "steward", "数据管家", "data steward"),
)
OVERSEERS = (
    Person("supervisor", "supervisor", "主管部门", "supervisor"),
    Person("auditor", "auditor", "审计员", "auditor"),
)


@dataclass(frozen=True)
class Seat:
    """One node of the demonstration."""

    jurisdiction: str
    place: str
    name_zh: str
    name_en: str
    folder: str
    port_offset: int
    superior: str = ""
    department_zh: str = ""
    department_en: str = ""
    area: str = ""  # of the department's code

    @property
    def department_code(self) -> str:
        """A valid code of a block that no registry issues."""
        return credit_code(self.area or "100000", self.port_offset, opening="11")

    @property
    def people(self) -> tuple[Person, ...]:
        return (*STAFF, *OVERSEERS) if self.department_zh else OVERSEERS

    def base_url(self, first_port: int) -> str:
        return f"http://127.0.0.1:{first_port + self.port_offset}"

    def home(self, region: Path) -> Path:
        return region / self.folder


REGION = Seat("yrd", "region", "长三角区域", "Yangtze River Delta", "region-yrd", 0, superior="100000")
NATION = Seat(
    "100000", "nation", "国家", "Nation", "nation", 1,
    department_zh="国家工作日历编制办公室（演示）", department_en="Office of the Working Calendar (demonstration)",
    area="100000",
)  # fmt: skip
SHANGHAI = Seat(
    "310000", "province", "上海市", "Shanghai", "shanghai", 2, superior="100000",
    department_zh="上海市市场监督管理局（演示）", department_en="Shanghai Market Regulation (demonstration)",
    area="310000",
)  # fmt: skip
JIANGSU = Seat(
    "320000", "province", "江苏省", "Jiangsu", "jiangsu", 3, superior="100000",
    department_zh="江苏省社会保险基金管理中心（演示）", department_en="Jiangsu Social Insurance (demonstration)",
    area="320000",
)  # fmt: skip
ZHEJIANG = Seat(
    "330000", "province", "浙江省", "Zhejiang", "zhejiang", 4, superior="100000",
    department_zh="浙江省生态环境厅（演示）", department_en="Zhejiang Ecology and Environment (demonstration)",
    area="330000",
)  # fmt: skip
ANHUI = Seat(
    "340000", "province", "安徽省", "Anhui", "anhui", 5, superior="100000",
    department_zh="安徽省医疗保障局（演示）", department_en="Anhui Healthcare Security (demonstration)",
    area="340000",
)  # fmt: skip
SEATS = (REGION, NATION, SHANGHAI, JIANGSU, ZHEJIANG, ANHUI)
MEMBERS = SEATS[1:]
