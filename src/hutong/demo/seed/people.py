"""Invented people, insured in Jiangsu."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from hutong.vocabulary.identifiers import identity_check

SEED = 3_200_002_025
AREAS = ("320102", "320205", "320302", "320412", "320506", "320602", "320706", "320803", "320902", "321002")
CITIES = ("南京市", "无锡市", "徐州市", "常州市", "苏州市", "南通市", "连云港市", "淮安市", "盐城市", "扬州市")
IMPOSSIBLE_DAYS = ("0230", "0231", "0431", "0631", "0931", "1131")  # no calendar has them
NO_OPERATORS_RANGE = "154"
SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
GIVEN = "安柏晨初丹尔帆歌禾嘉可岚明宁欧佩青然尚棠唯溪言允知竹"
LONG_SURNAMES = ("欧阳", "上官", "司马", "诸葛")
INSURANCES = ("城镇职工", "城乡居民", "灵活就业")


@dataclass(frozen=True)
class Person:
    """One insured person. No field describes anybody."""

    identity_number: str
    name: str
    phone: str
    city: str
    area_code: str
    insurance: str
    enrolled_on: str  # ISO date
    months_paid: int
    last_paid_month: str  # YYYY-MM
    base_yuan: int


def identity_number(area: str, year: int, impossible_day: str, serial: int) -> str:
    """18 characters whose check is right and whose birth date does not exist."""
    body = f"{area}{year:04d}{impossible_day}{serial:03d}"
    return body + identity_check(body)


def people(count: int, *, seed: int = SEED) -> Iterator[Person]:
    """The first `count` people, each with another identity number, the same on every machine."""
    chance = random.Random(seed)  # noqa: S311
    for index in range(count):
        place = index % len(AREAS)
        group = index // len(AREAS)
        number = identity_number(
            AREAS[place],
            1950 + group % 55,
            IMPOSSIBLE_DAYS[group // 55 % len(IMPOSSIBLE_DAYS)],
            group // (55 * len(IMPOSSIBLE_DAYS)) + 1,
        )
        months = chance.randint(1, 400)
        yield Person(
            identity_number=number,
            name=invented_name(chance),
            phone=f"{NO_OPERATORS_RANGE}{chance.randrange(10**8):08d}",
            city=CITIES[place],
            area_code=AREAS[place],
            insurance=chance.choices(INSURANCES, (6, 3, 1))[0],
            enrolled_on=f"{2024 - months // 12:04d}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
            months_paid=months,
            last_paid_month=f"2025-{chance.randint(1, 6):02d}",
            base_yuan=chance.randrange(4_500, 24_000, 100),
        )


def invented_name(chance: random.Random) -> str:
    surname = chance.choice(LONG_SURNAMES) if chance.random() < 0.03 else chance.choice(SURNAMES)
    return surname + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))
