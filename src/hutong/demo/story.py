"""The story in its order. Each chapter shows what it does as the commands, pages and calls that people use."""

from __future__ import annotations

from collections.abc import Callable

from hutong.demo import agreeing, founding, proving, publishing, reading, statute
from hutong.demo.screen import Words
from hutong.demo.stage import Stage

CHAPTERS: tuple[Callable[[Stage], None], ...] = (
    founding.make_nodes,
    founding.join_region,
    founding.appoint_people,
    statute.define,
    publishing.publish_all,
    statute.map_codes,
    publishing.find,
    agreeing.agree_by_rule,
    agreeing.agree_by_officer,
    agreeing.refuse,
    reading.read,
    reading.suspend,
    statute.correct,
    statute.demand,
    statute.give_back,
    statute.dispute,
    proving.verify,
    proving.reconcile,
    proving.prove,
)


def tell(stage: Stage) -> None:
    """Tell the whole story; afterwards the folder remembers that it was told."""
    stage.screen.title(
        Words("互通 Hutong", "Hutong 互通"),
        Words(
            "本机上的一个区域：国家、长三角、上海、江苏、浙江、安徽。人员、企业和数据均为虚构。",
            "A region on this machine: the nation, the delta, Shanghai, Jiangsu, Zhejiang and Anhui. "
            "People, companies and data are invented.",
        ),
    )
    for chapter in CHAPTERS:
        chapter(stage)
    stage.facts.keep(told=True)
