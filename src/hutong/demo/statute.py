"""The statute at work: a wrong record, a demand for what nobody publishes, and the days that run for both."""

from __future__ import annotations

from hutong.demo.region import ANHUI, JIANGSU, SHANGHAI, ZHEJIANG, Seat
from hutong.demo.screen import Words
from hutong.demo.seed.companies import companies
from hutong.demo.stage import Stage, identifier

WRONG_ITEMS = "name,state"


def correct(stage: Stage) -> None:
    """D809-26. A record is wrong: the key goes sealed to the provider, whose clock runs."""
    stage.screen.chapter(Words("校核：报告有误的记录", "A wrong record is reported"))
    agreement = stage.facts["agreement_by_rule"]
    someone = next(iter(companies(1)))
    what = ("--items", WRONG_ITEMS, "--key", "uscc", "--value-file", "-", "--fault", "out_of_date")
    evidence = ("--evidence", "企业已办理名称变更，见登记通知书", "--as", "officer")
    stage.show(ANHUI, "correction report", agreement, *what, *evidence)
    stage.run(ANHUI, "correction report", agreement, *what, *evidence, given=someone.uscc)

    def arrived() -> dict[str, str]:
        waiting = stage.run(SHANGHAI, "correction list", "--open", "--json").json()
        return dict(waiting[0]) if waiting else {}

    found = stage.until(arrived, Words("校核报告", "the report"), SHANGHAI)
    stage.screen.done(
        Words(
            f"上海收到校核，须于 {found['due']} 前答复；记录的键只有上海能解封",
            f"Shanghai has the report, to be answered by {found['due']}; only Shanghai can unseal which record it is",
        )
    )


def demand(stage: Stage) -> None:
    """D809-19. What no catalogue holds is demanded, and the supervisor names one lead source."""
    stage.screen.chapter(Words("需求清单：一数一源", "A demand finds its one source"))
    what = (
        *("社会保险欠费企业名单", "--for", "核验排污许可申请单位的履约情况", "--basis", "《排污许可管理条例》第七条"),
        *("--scope", "排污许可审批窗口", "--purpose", "licensing", "--item", "统一社会信用代码=uscc"),
        *("--item", "欠费起始月份", "--from", JIANGSU.jurisdiction, "--as", "officer"),
    )
    stage.show(ZHEJIANG, "demand file", *what)
    said = stage.ask(ZHEJIANG, "demand file", *what)
    stage.screen.refused(
        Words("目录中似乎已有，先看目录", "The catalogue seems to have it: look there first"), said.err
    )
    wanted = identifier(stage.run(ZHEJIANG, "demand file", *what, "--why-not", "该目录不含欠费信息").out)
    stage.run(ZHEJIANG, "demand sign-off", wanted, "--as", "head")
    _until_there(stage, JIANGSU, wanted)
    lead = (wanted, JIANGSU.department_code, "--as", "supervisor")
    stage.show(JIANGSU, "demand name-lead", *lead)
    stage.run(JIANGSU, "demand name-lead", *lead)
    due = stage.run(JIANGSU, "demand show", wanted, "--json").json()["due_on"]
    stage.screen.done(
        Words(
            f"江苏主管部门明确{JIANGSU.department_zh}为数源部门，须于 {due} 前提供",
            f"The one source is {JIANGSU.department_en}, to provide it by {due}",
        )
    )


def _until_there(stage: Stage, seat: Seat, wanted: str) -> None:
    def there() -> bool:
        return any(one["id"] == wanted for one in stage.run(seat, "demand list", "--json").json())

    stage.until(there, Words("数据需求", "the demand"), seat)
