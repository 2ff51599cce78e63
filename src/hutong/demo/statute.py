"""The statute at work: a wrong record, a demand for what nobody publishes, the region's codes, an area's rows on their
way back to it, a dispute that its parties' common superior decides."""

from __future__ import annotations

from hutong.demo import publishing
from hutong.demo.region import ANHUI, JIANGSU, NATION, REGION, SHANGHAI, ZHEJIANG, Seat
from hutong.demo.resources import COMPANIES, INSPECTIONS
from hutong.demo.screen import Words
from hutong.demo.seed.companies import INDUSTRIES, companies
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


def define(stage: Stage) -> None:
    """The region decides what a field means; its elements and tables travel to every member."""
    stage.screen.chapter(Words("标准：数据元与代码", "Standards: data elements and codes"))
    stage.show(REGION, "standard load", "--shipped")
    stage.run(REGION, "standard load", "--shipped")
    stage.show(REGION, "standard approve", "--all", "--as", "supervisor")
    decided = stage.run(REGION, "standard approve", "--all", "--as", "supervisor").out.count("is in force")

    def arrived() -> bool:
        return len(stage.run(SHANGHAI, "standard list", "--json").json()) >= decided

    stage.until(arrived, Words("区域标准", "the region's standards"), SHANGHAI)
    stage.screen.done(
        Words(
            f"{decided} 项数据元和代码表已审定，由区域节点下发至各节点",
            f"{decided} data elements and code tables are in force, sent from the region's node to every other",
        )
    )


def map_codes(stage: Stage) -> None:
    """A province proposes how its own codes become the region's; its supervisor is asked to approve."""
    stage.screen.chapter(Words("代码映射：本地代码转为区域代码", "A code map: local codes become the region's"))
    pairs = stage.region / "data" / "industry-map.csv"
    lines = [f"{code},{trade},{code[0]}" for trade, code in INDUSTRIES.items()]
    pairs.write_text("\n".join(["local,zh,regional", *lines]) + "\n", encoding="utf-8")
    item = f"{stage.facts[f'resource:{COMPANIES.file_name}']}/industry"
    names = ("--name", "sh-industry", "--title-zh", "上海行业代码", "--title-en", "Industries in Shanghai")
    where = ("--table", "gbt4754", "--local", "企业登记库行业代码", "--item", item)
    stage.show(SHANGHAI, "standard load", pairs.name, *names, *where)
    stage.run(SHANGHAI, "standard load", str(pairs), *names, *where)
    stage.screen.done(
        Words(
            f"{len(lines)} 个大类代码对应到区域门类代码，待上海主管部门审定",
            f"{len(lines)} divisions lead to the region's sections; Shanghai's supervisor is asked to approve",
        )
    )


def give_back(stage: Stage) -> None:
    """D809-24. What the nation holds about Jiangsu returns to Jiangsu: nobody answers, no condition can be set."""
    stage.screen.chapter(Words("回流：属地数据按规则返还", "Return flow: an area's rows come back by rule"))
    resource = publishing.publish(stage, INSPECTIONS)
    stage.show(NATION, "return offer", resource, "--as", "officer")
    stage.run(NATION, "return offer", resource, "--as", "officer")
    stage.show(JIANGSU, "return ask", resource, "--as", "officer")

    def asked() -> bool:
        return not stage.ask(JIANGSU, "return ask", resource, "--as", "officer").exit_code

    stage.until(asked, Words("回流数据的目录", "the entry to return"), JIANGSU)
    (flow,) = stage.run(JIANGSU, "return list", "--json").json()["returns"]

    def agreed() -> dict[str, object]:
        batches = stage.run(JIANGSU, "return show", flow["id"], "--json").json()["batches"]
        return dict(batches[0]) if batches and batches[0]["state"] == "agreed" else {}

    batch = stage.until(agreed, Words("回流数据", "the rows"), JIANGSU)
    stage.screen.done(
        Words(
            f"江苏收到本省 {batch['rows']:,} 行，双方行数与摘要一致",
            f"Jiangsu has its {batch['rows']:,} rows; both sides state the same count and digest",
        )
    )
    onward = identifier(stage.run(JIANGSU, "return pass-on", flow["id"], "--as", "officer").out)
    stage.run(JIANGSU, "resource sign-off", onward, "--as", "head")
    stage.run(JIANGSU, "resource submit", onward, "--as", "officer")
    stage.screen.done(
        Words(
            "江苏将其编目，待本省主管部门审核后可继续向市县回流",
            "Jiangsu has catalogued them; once its supervisor has reviewed it, they can sink on to its cities",
        )
    )


def dispute(stage: Stage) -> None:
    """D809-28. The parties do not agree about the refusal; the nearest jurisdiction above both decides."""
    stage.screen.chapter(Words("争议：会商、决策、协调、执行", "A dispute goes to the common superior"))
    subject = ("--request", stage.facts["refused"], "--title", "统计用途的申请被拒绝")
    said = ("--text", "统计调查是法定职责，目录用途应当涵盖。", "--as", "officer")
    stage.show(ZHEJIANG, "dispute open", *subject, *said)
    made = identifier(stage.run(ZHEJIANG, "dispute open", *subject, *said).out)
    _papers(stage, JIANGSU, made, 1)
    answer = ("--text", "缴费基数属敏感个人信息，可另行提供汇总结果。", "--as", "officer")
    stage.run(JIANGSU, "dispute state", made, *answer)
    _papers(stage, ZHEJIANG, made, 2)
    stage.run(ZHEJIANG, "dispute minutes", made, "--text", "双方会商两次，未达成一致。", "--as", "officer")
    stage.run(ZHEJIANG, "dispute escalate", made, "--text", "请共同上级决定。", "--as", "head")
    _papers(stage, NATION, made, 4)
    minutes = ("--text", "听取双方意见，查阅目录与申请材料。", "--as", "supervisor")
    stage.run(NATION, "dispute minutes", made, *minutes)
    decision = ("--text", "同意提供缴费基数，不提供身份号码。", "--citation", "《政务数据共享条例》第二十一条")
    effect = ("--effect", "agree", "--items", "base_yuan", "--term-days", "90", "--as", "supervisor")
    stage.show(NATION, "dispute decide", made, *decision, *effect)
    stage.run(NATION, "dispute decide", made, *decision, *effect)

    def executed() -> bool:
        return bool(stage.run(ZHEJIANG, "dispute show", made, "--json").json()["state"] == "executed")

    stage.until(executed, Words("决定的执行", "the execution"), ZHEJIANG)
    stage.screen.done(
        Words(
            "江苏节点收到决定即自动执行；各方签名文书在每一方的账本中相同",
            "Jiangsu's node did it as it took the decision in; the signed papers stand alike in every ledger",
        )
    )


def _papers(stage: Stage, seat: Seat, made: str, many: int) -> None:
    def there() -> bool:
        shown = stage.ask(seat, "dispute show", made, "--json")
        return not shown.exit_code and len(shown.json()["papers"]) >= many

    stage.until(there, Words("争议文书", "the papers of the dispute"), seat)


def _until_there(stage: Stage, seat: Seat, wanted: str) -> None:
    def there() -> bool:
        return any(one["id"] == wanted for one in stage.run(seat, "demand list", "--json").json())

    stage.until(there, Words("数据需求", "the demand"), seat)
