"""An application of Anhui reads under its agreements: masked records, whole tables, refusals, and a suspension."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import pyarrow as pa

from hutong.client import Connection, RefusedByNode, connect
from hutong.demo.agreeing import PURPOSE_BY_OFFICER, PURPOSE_BY_RULE
from hutong.demo.region import ANHUI, JIANGSU, Seat
from hutong.demo.screen import Words
from hutong.demo.seed.people import people
from hutong.demo.stage import DidNotArrive, Stage

CASE = "皖医结〔2026〕0001 号"
APPLICATION = "异地就医结算系统"


def read(stage: Stage) -> None:
    """Two reads: one person, masked at the provider; twelve thousand companies as Arrow."""
    stage.screen.chapter(Words("应用读取数据", "An application reads"))
    arguments = ("--department", ANHUI.department_code, "--application", APPLICATION)
    stage.show(ANHUI, "key create", *arguments)
    stage.facts.keep(api_key=stage.run(ANHUI, "key create", *arguments, "--json").json()["key"])
    with _connection(stage) as node:
        _one_person(stage, node)
        _all_companies(stage, node)
        _out_of_grant(stage, node)


def suspend(stage: Stage) -> None:
    """D809-27. A suspension stops the very next request, and a resumption lets the one after it through."""
    stage.screen.chapter(Words("中止与恢复", "Suspend and resume"))
    agreement = stage.facts["agreement_by_officer"]
    reason = ("--reason", "发现查询量异常，限期说明", "--as", "officer")
    stage.show(JIANGSU, "agreement suspend", agreement, *reason)
    stage.run(JIANGSU, "agreement suspend", agreement, *reason)
    with _connection(stage) as node:
        refused = _refusal(stage, lambda: _person(stage, node))
        stage.screen.refused(Words("下一次请求即被拒绝", "The very next request is refused"), refused)
        _rectify(stage, agreement)
        stage.run(JIANGSU, "agreement resume", agreement, "--reason", "已说明并整改", "--as", "officer")
        _person(stage, node)
        stage.screen.done(Words("整改后恢复，下一次请求成功", "Put right and resumed: the next request is answered"))


def _rectify(stage: Stage, agreement: str) -> None:
    """The suspended side files what it has put right; only then may the other resume."""

    def filed(seat: Seat, kind: str) -> Callable[[], bool]:
        return lambda: bool(stage.run(seat, "agreement papers", "--kind", kind, "--json").json())

    stage.until(filed(ANHUI, "suspension"), Words("中止通知", "the suspension"), ANHUI)
    evidence = stage.home(ANHUI) + "/hutong.toml"
    what = ("--done", "已核对查询日志，停用异常接口", "--by", "窗口负责人", "--evidence", evidence, "--as", "officer")
    stage.show(ANHUI, "agreement rectify", agreement, *what)
    stage.run(ANHUI, "agreement rectify", agreement, *what)
    stage.until(filed(JIANGSU, "rectification"), Words("整改报告", "the rectification"), JIANGSU)


def _connection(stage: Stage) -> Connection:
    return connect(ANHUI.base_url(stage.nodes.first_port), str(stage.facts["api_key"]), progress=False)


def _person(stage: Stage, node: Connection) -> pa.Table:
    """The first insured person of Nanjing, by identity number."""
    someone = next(person for person in people(100) if person.city == "南京市")
    reading = node.read(
        stage.facts["agreement_by_officer"],
        key=("identity_number", someone.identity_number),
        purpose=PURPOSE_BY_OFFICER,
        case=CASE,
    )
    table = reading.to_arrow()
    stage.facts.keep(exchange=reading.exchange)
    return table


def _one_person(stage: Stage, node: Connection) -> None:
    stage.screen.code('node = hutong.connect("http://127.0.0.1:...", key)')
    stage.screen.code(
        f'node.read(agreement, key=("identity_number", ...), purpose="{PURPOSE_BY_OFFICER}", case="{CASE}").to_arrow()'
    )
    began = perf_counter()
    table = _person(stage, node)
    row = table.to_pylist()[0]
    headings = [Words("信息项", "item"), Words("安徽收到的", "as Anhui receives it")]
    stage.screen.table(headings, [[name, "-" if value is None else str(value)] for name, value in row.items()])
    stage.screen.done(
        Words("一条记录，在江苏节点脱敏后才离开", "One record, masked before it left Jiangsu's node"), began=began
    )


def _all_companies(stage: Stage, node: Connection) -> None:
    stage.screen.code("node.read(agreement, where=\"state = '存续'\", ...).to_arrow()")
    began = perf_counter()
    reading = node.read(stage.facts["agreement_by_rule"], where="state = '存续'", purpose=PURPOSE_BY_RULE, case=CASE)
    table = reading.to_arrow()
    stage.screen.done(
        Words(
            f"{table.num_rows:,} 家企业，Arrow {reading.bytes:,} 字节，双方账本各有回执",
            f"{table.num_rows:,} companies, {reading.bytes:,} bytes of Arrow, a receipt in both ledgers",
        ),
        began=began,
    )


def _out_of_grant(stage: Stage, node: Connection) -> None:
    agreement = stage.facts["agreement_by_officer"]
    item = _refusal(
        stage, lambda: node.read(agreement, items=["base_yuan"], purpose=PURPOSE_BY_OFFICER, case=CASE).to_arrow()
    )
    stage.screen.refused(Words("协议之外的信息项", "An item outside the agreement"), item)
    purpose = _refusal(stage, lambda: node.read(agreement, purpose="statistics", case=CASE).to_arrow())
    stage.screen.refused(Words("协议之外的用途", "A purpose outside the agreement"), purpose)


def _refusal(stage: Stage, read: Callable[[], object]) -> str:
    """What the application is told; that it is answered at all ends the demonstration.

    raises   DidNotArrive
    """
    try:
        read()
    except RefusedByNode as refused:
        language = stage.screen.language
        rule = f"{refused.rule}  " if refused.rule else ""
        space = " " if language == "en" else ""
        return f"{refused.status}  {rule}{refused.say(language)}{space}{refused.next_step(language)}"
    raise DidNotArrive(what="the refusal", what_zh="拒绝答复", where=ANHUI.name_en, where_zh=ANHUI.name_zh, seconds=0)
