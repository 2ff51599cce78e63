"""Six nodes, one region, its departments and people."""

from __future__ import annotations

from datetime import date
from time import perf_counter

from hutong.demo.region import ANHUI, MEMBERS, PASSWORD, REGION, SEATS, Seat
from hutong.demo.screen import Words, Work
from hutong.demo.seed.files import write_demonstration_calendar
from hutong.demo.stage import Stage


def make_nodes(stage: Stage) -> None:
    """Keys, settings, database and an empty ledger for each; then all are started."""
    stage.screen.chapter(Words("六个节点", "Six nodes"))
    stage.screen.say(
        Words(
            "每个行政区运行自己的节点：自己的密钥、数据库和账本，互不隶属。",
            "Each jurisdiction runs a node of its own: its keys, its database, its ledger. None commands another.",
        )
    )
    stage.show(ANHUI, "init", "--jurisdiction", ANHUI.jurisdiction, "--name-zh", ANHUI.name_zh)
    stage.show(ANHUI, "serve")
    began = perf_counter()
    with stage.screen.working(Words("建立并启动节点", "making and starting nodes"), 2 * len(SEATS)) as work:
        for seat in stage.everywhere(lambda seat: _make(stage, seat, work)):
            stage.nodes.start(seat)
        for node in stage.nodes.running:
            stage.nodes.wait_until_ready(node)
            work.step()
    stage.screen.done(Words("六个节点已启动", "Six nodes are running"), began=began)


def _make(stage: Stage, seat: Seat, work: Work) -> Seat:
    address = seat.base_url(stage.nodes.first_port)
    region = ["--superior", seat.superior] if seat.superior else []
    stage.run(
        seat,
        "init",
        *("--jurisdiction", seat.jurisdiction, "--name-zh", seat.name_zh, "--name-en", seat.name_en),
        *("--place", seat.place, "--base-url", address, "--listen", address.removeprefix("http://")),
        *("--source-roots", str(stage.region / "data")),
        *region,
    )
    if seat.department_zh:
        with (seat.home(stage.region) / "hutong.toml").open("a", encoding="utf-8") as settings:
            settings.write('public_figures = "yes"\n')
    work.step()
    return seat


def join_region(stage: Stage) -> None:
    """The region invites, each member joins."""
    stage.screen.chapter(Words("一个区域", "One region"))
    stage.screen.say(
        Words(
            "区域节点保管由其签名的成员名录；双方各一条命令即可加入。",
            "The region's node keeps the signed directory of members. Joining is one command on each side.",
        )
    )
    stage.show(REGION, "invite", "--jurisdiction", ANHUI.jurisdiction)
    stage.show(ANHUI, "join", "INVITATION")
    began = perf_counter()
    with stage.screen.working(Words("加入", "joining"), len(MEMBERS)) as work:
        for seat in MEMBERS:
            invitation = stage.run(REGION, "invite", "--jurisdiction", seat.jurisdiction).out.strip()
            stage.run(seat, "join", invitation)
            work.step()
    stage.screen.done(
        Words("五个成员已加入，名录在每个节点各有一份", "Five members joined; each holds the directory"), began=began
    )


def appoint_people(stage: Stage) -> None:
    """Departments by their credit codes, and the accounts of their people."""
    stage.screen.chapter(Words("部门与人员", "Departments and people"))
    stage.show(ANHUI, "department add", ANHUI.department_code, ANHUI.department_zh)
    stage.show(ANHUI, "account add", "officer", "--role", "officer", "--department", ANHUI.department_code)
    began = perf_counter()
    people = sum(len(seat.people) for seat in SEATS)
    with stage.screen.working(Words("建立账户", "making accounts"), people) as work:
        list(stage.everywhere(lambda seat: _appoint(stage, seat, work)))
    departments = sum(bool(seat.department_zh) for seat in SEATS)
    stage.screen.done(
        Words(f"{departments} 个部门，{people} 个账户", f"{departments} departments, {people} accounts"), began=began
    )


def _appoint(stage: Stage, seat: Seat, work: Work) -> None:
    if seat.department_zh:
        names = (seat.department_zh, "--name-en", seat.department_en)
        stage.run(seat, "department add", seat.department_code, *names)
    for person in seat.people:
        belongs = person.role in ("officer", "head")
        department = ["--department", seat.department_code] if belongs else []
        stage.run(
            seat,
            "account add",
            *(person.username, "--role", person.role, "--name", person.name_zh, "--password-stdin", *department),
            given=PASSWORD + "\n",
        )
        work.step()
    calendar = stage.region / f"calendar-{seat.folder}.csv"
    if write_demonstration_calendar(calendar, date.today()):
        stage.run(seat, "calendar load", str(calendar))
        stage.run(seat, "calendar approve", "--all", "--as", "supervisor")
