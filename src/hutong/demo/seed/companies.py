"""Invented companies of Shanghai, with credit codes that pass every check and belong to nobody."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from hutong.demo.seed.people import NO_OPERATORS_RANGE, invented_name
from hutong.vocabulary.identifiers import CREDIT_ALPHABET, credit_check, organisation_check

SEED = 3_100_002_025
AREAS = {"310101": "黄浦区", "310104": "徐汇区", "310115": "浦东新区", "310118": "青浦区", "310120": "奉贤区"}
NO_REGISTRYS_BLOCK = "HTDEM"  # organisation codes that begin so are issued by nobody
FIRST = ("云栖", "青禾", "明浦", "远岫", "长汀", "澄湖", "泰禾", "瑞浦", "听泉", "南薰", "星河", "北辰")
SECOND = ("智造", "纺织", "光电", "物流", "食品", "医疗器械", "新材料", "软件", "环保", "文化传播")
INDUSTRIES = {
    "智造": "C34", "纺织": "C17", "光电": "C39", "物流": "G59", "食品": "C14",
    "医疗器械": "C35", "新材料": "C26", "软件": "I65", "环保": "N77", "文化传播": "R86",
}  # fmt: skip
STATES = ("存续", "存续", "存续", "存续", "注销", "吊销", "迁出")


@dataclass(frozen=True)
class Company:
    """One registered company. No field describes anybody."""

    uscc: str
    name: str
    legal_representative: str
    phone: str
    district: str
    area_code: str
    industry: str  # GB/T 4754
    registered_capital_wan: int
    established_on: str  # ISO date
    state: str


def credit_code(area: str, serial: int, *, opening: str = "91") -> str:
    """A unified social credit code in the block that no registry issues: 29,791 of them per area and opening."""
    base = len(CREDIT_ALPHABET)
    tail = "".join(CREDIT_ALPHABET[serial // base**place % base] for place in (2, 1, 0))
    organisation = NO_REGISTRYS_BLOCK + tail
    body = opening + area + organisation + organisation_check(organisation)
    return body + credit_check(body)


def companies(count: int, *, seed: int = SEED) -> Iterator[Company]:
    """The first `count` companies, each with another code, the same on every machine."""
    chance = random.Random(seed)  # noqa: S311
    areas = list(AREAS)
    for index in range(count):
        area = areas[index % len(areas)]
        trade = chance.choice(SECOND)
        yield Company(
            uscc=credit_code(area, index // len(areas)),
            name=f"上海{chance.choice(FIRST)}{chance.choice(FIRST)}{trade}有限公司",
            legal_representative=invented_name(chance),
            phone=f"{NO_OPERATORS_RANGE}{chance.randrange(10**8):08d}",
            district=AREAS[area],
            area_code=area,
            industry=INDUSTRIES[trade],
            registered_capital_wan=chance.choice((10, 50, 100, 200, 500, 1000, 5000, 20000)),
            established_on=f"{chance.randint(1992, 2025):04d}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
            state=chance.choice(STATES),
        )
