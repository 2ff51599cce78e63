"""Requests with their legal basis; agreed by rule, agreed by an officer with masks, and refused with a citation."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from hutong.demo.region import ANHUI, JIANGSU, ZHEJIANG, Seat
from hutong.demo.resources import COMPANIES, INSURED, Published
from hutong.demo.screen import Words
from hutong.demo.stage import Stage, identifier

PURPOSE_BY_RULE = "reconciliation"
PURPOSE_BY_OFFICER = "medical_settlement"
# What each item looks like when it leaves. The officer gives the name as initials only and no telephone number at all.
MASKS = ("name=first:1", "phone=null")
INSURED_ITEMS = "identity_number,name,phone,city,insurance,months_paid,last_paid_month"
CITY = "city = '南京市'"


def agree_by_rule(stage: Stage) -> None:
    """D809-21. What is shared without conditions is agreed at once, by rule."""
    stage.screen.chapter(Words("无条件共享：按规则即时同意", "Unconditional: agreed by rule"))
    request = _file(
        stage,
        ANHUI,
        COMPANIES,
        items="uscc,name,legal_representative,phone,district,state",
        purpose=PURPOSE_BY_RULE,
        basis="《医疗保障基金使用监督管理条例》第十条",
        scenario="核对定点医药机构登记状态",
        scope="省级医疗保障监管机构",
        term_days="365",
    )
    said = stage.ask(ANHUI, "request sign-off", request, "--as", "officer")
    stage.screen.refused(Words("经办人不能替负责人同意", "Who asks may not sign off for the head"), said.err)
    began = perf_counter()
    agreement = _sign_off(stage, ANHUI, request)
    stage.screen.done(
        Words(
            "负责人同意，上海节点按第二十一条自动同意，双方已签名",
            "Signed off; Shanghai agreed by article 21; both nodes signed",
        ),
        began=began,
    )
    stage.facts.keep(agreement_by_rule=agreement)


def agree_by_officer(stage: Stage) -> None:
    """Conditional sharing waits for the provider's officer, under the statutory clock."""
    stage.screen.chapter(Words("有条件共享：由提供方人员办理", "Conditional: the provider's officer decides"))
    request = _file(
        stage,
        ANHUI,
        INSURED,
        items=INSURED_ITEMS,
        purpose=PURPOSE_BY_OFFICER,
        basis="《医疗保障基金使用监督管理条例》第二十五条",
        scenario="异地就医直接结算前核验参保状态",
        scope="省级医疗保障经办机构",
        term_days="180",
        where=CITY,
    )
    stage.run(ANHUI, "request sign-off", request, "--as", "head")
    waiting = _inbox(stage, request)
    stage.screen.say(
        Words(
            f"江苏收件箱：安徽，用途 {waiting['purpose']}，{CITY}，法定答复日 {waiting['due']}"
            f"（还有 {waiting['working_days_left']} 个工作日）",
            f"Jiangsu's inbox: Anhui, purpose {waiting['purpose']}, {CITY}, to be answered by {waiting['due']} "
            f"({waiting['working_days_left']} working days left)",
        )
    )
    masks = [word for mask in MASKS for word in ("--mask", mask)]
    stage.show(JIANGSU, "agreement agree", waiting["pid"], *masks, "--as", "officer")
    stage.run(JIANGSU, "agreement agree", waiting["pid"], *masks, "--as", "officer")
    stage.show(JIANGSU, "agreement sign", waiting["pid"], "--as", "head")
    began = perf_counter()
    stage.run(JIANGSU, "agreement sign", waiting["pid"], "--as", "head")
    agreement = _agreed(stage, ANHUI, request)
    stage.screen.done(
        Words(
            "经办人拟办、负责人签批同意，姓名只留首字，电话不提供；双方已签名",
            "Proposed by the officer, signed by the head: names to their first character, no telephone; both signed",
        ),
        began=began,
    )
    stage.facts.keep(agreement_by_officer=agreement)


def refuse(stage: Stage) -> None:
    """D809-15, D809-21. A refusal carries a reason and a legal citation, and the applicant reads both."""
    stage.screen.chapter(Words("拒绝须有理由和依据", "A refusal has a reason and a citation"))
    request = _file(
        stage,
        ZHEJIANG,
        INSURED,
        items="identity_number,base_yuan",
        purpose="statistics",
        basis="《统计法》第七条",
        scenario="收入水平分析",
        scope="生态环境厅内部",
        term_days="365",
    )
    stage.run(ZHEJIANG, "request sign-off", request, "--as", "head")
    waiting = _inbox(stage, request)
    words = ("--code", "purpose_outside_conditions", "--reason", "目录列明的用途不含统计分析")
    stage.show(JIANGSU, "agreement refuse", waiting["pid"], *words, "--citation", "《政务数据共享条例》第十五条")
    stage.run(
        JIANGSU,
        "agreement refuse",
        *(waiting["pid"], *words, "--citation", "《政务数据共享条例》第十五条", "--as", "officer"),
    )
    stage.run(JIANGSU, "agreement sign", waiting["pid"], "--as", "head")
    shown = stage.until(lambda: _when(stage, ZHEJIANG, request, "refused"), Words("拒绝答复", "the refusal"), ZHEJIANG)
    stage.screen.refused(
        Words("浙江看到的答复", "What Zhejiang reads"), f"{shown['refusal_reason']}  {shown['refusal_citation']}"
    )
    stage.facts.keep(refused=shown["negotiation"])


def _file(stage: Stage, seat: Seat, one: Published, *, term_days: str, where: str = "", **words: str) -> str:
    options = [part for name, value in words.items() for part in (f"--{name}", value)]
    condition = ["--where", where] if where else []
    resource = stage.facts[f"resource:{one.file_name}"]
    arguments = (resource, *options, *condition, "--term-days", term_days, "--as", "officer")
    stage.show(seat, "request file", *arguments)
    return identifier(stage.run(seat, "request file", *arguments).out)


def _sign_off(stage: Stage, seat: Seat, request: str) -> str:
    stage.show(seat, "request sign-off", request, "--as", "head")
    stage.run(seat, "request sign-off", request, "--as", "head")
    return _agreed(stage, seat, request)


def _agreed(stage: Stage, seat: Seat, request: str) -> str:
    """The agreement's id, once it is signed by both sides and data may be read under it."""

    def active() -> str:
        shown = stage.run(seat, "request show", request, "--json").json()
        return str(shown["agreement"]) if shown["agreement_state"] == "active" else ""

    return stage.until(active, Words("共享协议", "the agreement"), seat)


def _inbox(stage: Stage, request: str) -> dict[str, Any]:
    """The request as Jiangsu's officer sees it, once it has arrived."""
    before = set(stage.facts.values.get("seen_in_inbox", []))

    def arrived() -> dict[str, Any]:
        waiting = [one for one in stage.run(JIANGSU, "agreement inbox", "--json").json() if one["pid"] not in before]
        return dict(waiting[0]) if waiting else {}

    found = stage.until(arrived, Words(f"共享申请 {request}", f"request {request}"), JIANGSU)
    stage.facts.keep(seen_in_inbox=sorted(before | {found["pid"]}))
    return found


def _when(stage: Stage, seat: Seat, request: str, state: str) -> dict[str, Any]:
    shown = stage.run(seat, "request show", request, "--json").json()
    return dict(shown) if shown["state"] == state else {}
