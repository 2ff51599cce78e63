"""A province's own codes on their way to another: mapped, held back where the map lacks a value, sent when it has it.

By command line and by the client alone, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

import hutong
from hutong.vocabulary.errors import Refused
from tests.journeys.first_exchange import (
    CONSUMER,
    DESK,
    KEEPER,
    OFFICE,
    PROVIDER,
    PURPOSE,
    agreement_in_force,
    found_in_catalogue,
    oversee,
    publish,
    put_before_the_supervisor_and_publish,
    request,
    staff,
)
from tests.nodes import Node, Region, until
from tests.postgres import new_database

# The province writes M and F; two offices write 男, and one row is of a person whose sex nobody wrote down.
PEOPLE = [
    *(
        ("p1", "M", "10"),
        ("p2", "F", "20"),
        ("p3", "男", "10"),
        ("p4", "F", "10"),
        ("p5", "X", "20"),
        ("p6", "男", "30"),
    ),
    *((f"q{number}", "MF"[number % 2], "10") for number in range(60)),
    ("p7", "", "40"),
]
FIRST_MAP = "local,zh,regional\nM,男,1\nF,女,2\n"
MORE_MAP = FIRST_MAP + "男,,1\n"


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Callable[[str], str] | None:
    if request.param == "sqlite":
        return None
    url = request.getfixturevalue("postgres_url")
    return lambda jurisdiction: new_database(url, f"codes_{jurisdiction}")


def approve(node: Node) -> None:
    node.hutong("standard", "approve", str(node.home), "--all", "--as", "supervisor")


def code_map(node: Node, text: str, resource: str, folder: Path) -> None:
    file = folder / "map.csv"
    file.write_text(text, encoding="utf-8")
    described = ("--name", "js-sex", "--title-zh", "江苏性别代码", "--table", "gbt2261.1", "--local", "江苏人口库")
    node.hutong("standard", "load", str(node.home), str(file), *described, "--item", f"{resource}/sex")
    approve(node)


def held_back(node: hutong.Connection, reading: hutong.Reading) -> dict[str, int]:
    found: dict[str, int] = node.exchange(reading.exchange).get("withheld", {})
    return found


def people_of(table: object) -> dict[str, str | None]:
    return {row["code"]: row["sex"] for row in table.to_pylist()}  # type: ignore[attr-defined]


def test_code_mapping_from_one_province_to_another(tmp_path: Path, databases: Callable[[str], str] | None) -> None:
    register = tmp_path / "people.csv"
    register.write_text("code,sex,band\n" + "".join(",".join(row) + "\n" for row in PEOPLE), encoding="utf-8")
    with Region(tmp_path, databases) as region:
        region.start(KEEPER, PROVIDER, CONSUMER)
        keeper, provider, consumer = region[KEEPER], region[PROVIDER], region[CONSUMER]
        staff(provider, OFFICE, "江苏省公安厅", "wang", "zhao")
        staff(consumer, DESK, "安徽省数据资源管理局", "li", "sun")
        oversee(keeper)
        keeper.hutong("standard", "load", str(keeper.home), "--shipped")
        approve(keeper)

        def has_table(node: Node) -> bool:
            rows = node.json("standard", "list", str(node.home), "--kind", "table")
            return any(row["name"] == "gbt2261.1" and row["origin"] == KEEPER for row in rows)

        for member in (provider, consumer):
            until(lambda member=member: has_table(member), what="the region's tables")
        resource = publish(provider, register, tmp_path, title_zh="人口基本信息")
        code_map(provider, FIRST_MAP, resource, tmp_path)
        put_before_the_supervisor_and_publish(
            provider, resource, "wang"
        )  # the catalogue now says: in the region's codes
        found_in_catalogue(consumer, resource)
        request(consumer, resource, items="code,sex,band")
        agreement = agreement_in_force(consumer, resource)["id"]
        made = consumer.json("key", "create", str(consumer.home), "--application", "人口核验", "--department", DESK)
        with hutong.connect(consumer.base_url, made["key"], progress=False) as node:
            story(node, agreement, lambda: code_map(provider, MORE_MAP, resource, tmp_path))


def story(node: hutong.Connection, agreement: str, grow: Callable[[], None]) -> None:
    known = {"M": "1", "F": "2", "": None}
    first = node.read(agreement, purpose=PURPOSE, case="1")
    assert people_of(first.to_arrow()) == {code: known[sex] for code, sex, _ in PEOPLE if sex in known}
    assert held_back(node, first) == {"sex": 3}
    # A record and a condition, in regional codes; every format.
    one = node.read(agreement, key=("code", "p2"), purpose=PURPOSE, case="2")
    assert people_of(one.to_arrow()) == {"p2": "2"}
    men = node.read(agreement, items=["code"], where="sex = '1' AND band = '10'", purpose=PURPOSE, case="3")
    assert "p1" in men.to_arrow().column("code").to_pylist()
    assert held_back(node, men) == {"sex": 1}  # p3 may be one of them
    women = node.read(agreement, items=["code"], where="sex = 'F'", purpose=PURPOSE, case="4")
    assert women.to_arrow().num_rows == 0  # a local code means nothing here
    for form, read in FORMS.items():
        reading = node.download(agreement, form, where="band = '10'", purpose=PURPOSE, case="5")
        rows = read(b"".join(reading.chunks()))
        assert {row["sex"] for row in rows} == {"1", "2"}, form
    with pytest.raises(Refused) as refused:
        node.replay(agreement, first.exchange, purpose=PURPOSE, case="6").to_arrow()
    assert refused.value.code == "nothing_to_replay"
    # The map grows; the consumer's node is told; the rows come, each once.
    grow()
    until(lambda: node.exchange(first.exchange).get("replay") == "ready", what="the news of the replay")
    again = node.replay(agreement, first.exchange, purpose=PURPOSE, case="7")
    assert people_of(again.to_arrow()) == {"p3": "1", "p6": "1"}
    with pytest.raises(Refused) as refused:
        node.replay(agreement, first.exchange, purpose=PURPOSE, case="8").to_arrow()
    assert refused.value.code == "nothing_to_replay"
    more = node.replay(agreement, men.exchange, purpose=PURPOSE, case="9")
    assert more.to_arrow().column("code").to_pylist() == ["p3"]
    # Read anew, X alone stays behind.
    whole = node.read(agreement, purpose=PURPOSE, case="10")
    assert len(people_of(whole.to_arrow())) == len(PEOPLE) - 1
    assert held_back(node, whole) == {"sex": 1}


FORMS: dict[str, Callable[[bytes], list[dict[str, object]]]] = {
    "application/json": orjson.loads,
    "text/csv": lambda content: list(csv.DictReader(io.StringIO(content.decode()))),
    "application/vnd.apache.parquet": lambda content: pq.read_table(io.BytesIO(content)).to_pylist(),
}
