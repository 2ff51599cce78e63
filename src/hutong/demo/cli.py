"""`hutong demo`: a region on one machine, its story told in the terminal, then open for visitors."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path
from types import FrameType

import click

from hutong.demo.processes import Nodes
from hutong.demo.region import FIRST_PORT, PASSWORD, SEATS
from hutong.demo.screen import Screen, Words
from hutong.demo.stage import FACTS, Facts, Stage
from hutong.demo.story import tell
from hutong.terminal import language as language_of_terminal
from hutong.vocabulary.errors import Refused

LOOK_EVERY_S = 1.0


class NotADemonstration(Refused):
    """The folder {folder} exists and was not made by hutong demo."""

    zh = "文件夹 {folder} 已存在，且不是由 hutong demo 建立的。"
    code = "not_a_demonstration"
    status = 409
    next_en = "Name another folder: hutong demo FOLDER"
    next_zh = "请指定其他文件夹：hutong demo 文件夹"


class NodeEnded(Refused):
    """The node {name} ended by itself."""

    zh = "节点 {name} 自行退出。"
    code = "demo_node_ended"
    status = 500
    next_en = "Its log says why: {log}"
    next_zh = "原因见其日志：{log}"


@click.command("demo")
@click.argument("folder", metavar="DIR", default="demo-region", type=click.Path(path_type=Path))
@click.option("--port", "first_port", type=click.IntRange(1024, 65500), help="First of six ports; 8310 at first.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Of the story; the terminal's when not given.")
@click.option("--leave", is_flag=True, help="End after the story instead of staying open for visitors.")
def demo(folder: Path, first_port: int | None, language: str | None, leave: bool) -> None:
    """Run a nation, a region and four provinces on this machine.

    \b
    hutong demo ./demo-region

    The first start makes six nodes in DIR and tells the whole story, from joining to reconciled ledgers; a later start
    goes on where the last one stopped. Ctrl-C stops all. Everything stays within DIR; delete it to begin anew.
    """
    screen = Screen("zh" if (language or language_of_terminal()) == "zh" else "en")
    signal.signal(signal.SIGTERM, _interrupt)
    region = folder.expanduser().resolve()
    facts = _open(screen, region)
    nodes = Nodes(region, first_port or int(facts.values.get("first_port", FIRST_PORT)))
    nodes.check_ports()
    facts.keep(first_port=nodes.first_port)
    try:
        if facts.told:
            _resume(screen, nodes)
        else:
            with Stage(screen, region, nodes, facts) as stage:
                tell(stage)
        _receive_visitors(screen, nodes, leave)
    except KeyboardInterrupt:
        screen.say(Words("正在停止……", "Stopping ..."))
    finally:
        nodes.stop()


def _open(screen: Screen, region: Path) -> Facts:
    """The demonstration in a folder; one that stopped before its story was told is begun anew."""
    marker = region / FACTS
    if region.exists() and any(region.iterdir()) and not marker.exists():
        raise NotADemonstration(folder=region)
    if marker.exists() and not Facts(marker).told:
        screen.say(Words("上次演示未讲完，重新开始。", "The last story was not told to its end; beginning anew."))
        shutil.rmtree(region)
    region.mkdir(parents=True, exist_ok=True)
    (region / "logs").mkdir(exist_ok=True)
    return Facts(marker)


def _resume(screen: Screen, nodes: Nodes) -> None:
    with screen.working(Words("启动节点", "starting nodes"), len(SEATS)) as work:
        for seat in SEATS:
            nodes.start(seat)
        for node in nodes.running:
            nodes.wait_until_ready(node)
            work.step()


def _receive_visitors(screen: Screen, nodes: Nodes, leave: bool) -> None:
    screen.chapter(Words("请进", "Come in"))
    headings = [Words("节点", "node"), Words("门户", "portal"), Words("账户", "accounts")]
    rows = [
        [
            screen.words(Words(seat.name_zh, seat.name_en)),
            seat.base_url(nodes.first_port),
            ", ".join(person.username for person in seat.people),
        ]
        for seat in SEATS
    ]
    screen.table(headings, rows)
    screen.say(Words(f"所有账户的口令：{PASSWORD}", f"Password of all of them: {PASSWORD}"))
    if leave:
        return
    screen.say(Words("按 Ctrl-C 停止全部节点。", "Ctrl-C stops all nodes."))
    while (ended := nodes.first_to_end()) is None:
        time.sleep(LOOK_EVERY_S)
    raise NodeEnded(name=ended.seat.name_en, name_zh=ended.seat.name_zh, log=ended.log)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
