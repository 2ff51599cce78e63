"""Who stands above whom: the members of the demonstration's region, and real codes of GB/T 2260."""

import csv

import pytest

from hutong.control.organisations.tree import (
    NoCommonSuperior,
    Place,
    Tree,
    covers,
    nearest_common_superior,
    path_to_root,
    superior_by_code,
)
from hutong.demo.region import SEATS
from hutong.node.models import Member
from hutong.vocabulary.areas import within
from tests.nodes import DATA
from tests.region import neighbour

DELTA = Tree(Place(seat.jurisdiction, seat.place, seat.superior) for seat in SEATS)
ZONE = ("310118", "320509", "330421")


@pytest.mark.parametrize(
    ("one", "other", "above"),
    [
        ("310000", "320000", "100000"),  # not the region's office, and neither province
        ("330000", "340000", "100000"),
        ("310000", "310000", "310000"),  # two departments of Shanghai
        ("310000", "310118", "310000"),  # one of Shanghai, one of Qingpu
        ("310118", "310230", "310000"),
        ("320509", "320583", "320500"),  # two of Suzhou's
        ("320509", "330421", "100000"),
        ("yrd", "310000", "100000"),
        ("100000", "340104", "100000"),
    ],
)
def test_two_jurisdictions_meet_at_the_nearest_that_stands_above_both(one, other, above):
    assert DELTA.common_superiors(one, other)[0] == above
    assert DELTA.common_superiors(other, one)[0] == above


def test_a_path_goes_up_through_city_and_province():
    assert DELTA.path_to_root("330421") == ("330421", "330400", "330000", "100000")
    assert DELTA.path_to_root("310118") == ("310118", "310000", "100000")
    assert DELTA.path_to_root("yrd") == ("yrd", "100000")
    assert DELTA.path_to_root("100000") == ("100000",)


def test_a_county_that_no_city_administers_stands_below_its_province():
    assert superior_by_code("429004") == "420000"
    assert superior_by_code("500230") == "500000"


def test_what_the_directory_declares_holds_only_where_the_codes_allow_it():
    told = Tree([
        Place("yrd", "region", "100000"),
        Place("330421", "district", "330000"),  # a county its province administers itself
        Place("320000", "province", "yrd"),  # a region's office stands above nobody
        Place("310118", "district", "320000"),  # not Jiangsu's
        Place("340000", "province", "340000"),
    ])  # fmt: skip
    assert told.superior_of("330421") == "330000"
    assert told.superior_of("320000") == "100000"
    assert told.superior_of("310118") == "310000"
    assert told.superior_of("340000") == "100000"


def test_named_places_that_call_each_other_superior_still_end_at_the_nation():
    circle = Tree([Place("harbour", "district", "airport"), Place("airport", "district", "harbour")])
    assert circle.path_to_root("harbour") == ("harbour", "airport", "100000")
    assert circle.common_superiors("harbour", "310000") == ("100000",)


def test_an_area_lies_in_its_district_city_province_and_the_nation():
    assert all(covers(code, "330421") for code in ("330421", "330400", "330000", "100000"))
    assert all(covers("310000", code) for code in ("310000", "310118", "310118102000"))
    assert not any(covers(code, "330421") for code in ("330424", "330500", "310000", "yrd"))
    assert covers("320500", "320584")  # Wujiang as it was before 2012
    assert not any(covers("310000", area) for area in ("", "31", "3101181", "abcdef", "yrd"))
    assert not covers("310118", "310000")


@pytest.mark.parametrize("code", ["310118", "320509", "330421", "340104"])
def test_every_superior_of_a_district_covers_it(code):
    assert all(covers(above, code) for above in DELTA.path_to_root(code))


@pytest.mark.skipif(not (DATA / "divisions").is_dir(), reason="the table of divisions is not on this machine")
def test_every_division_of_2026_goes_up_through_divisions_that_exist():
    with (DATA / "divisions" / "divisions_2026.csv").open(encoding="utf-8") as lines:
        codes = {row["code12"][:6] for row in csv.DictReader(lines) if row["level"] != "town"}
    tree = Tree([])
    for code in codes:
        path = tree.path_to_root(code)
        assert path[-1] == "100000"
        assert len(path) <= 4
        assert all(within(code, above) for above in path)
        assert [above for above in path[1:-1] if above not in codes] == [], code


@pytest.fixture
def delta(db):
    for seat in SEATS:
        neighbour(seat.jurisdiction, seat.place)
    Member.objects.exclude(jurisdiction="100000").update(superior="100000")


@pytest.mark.django_db
def test_the_mediator_of_two_provinces_is_the_nations_node_in_the_directory(delta):
    assert nearest_common_superior("310000", "320000").jurisdiction == "100000"
    assert nearest_common_superior("310000", "310118").jurisdiction == "310000"
    assert path_to_root("310000") == ("310000", "100000")


@pytest.mark.django_db
def test_a_superior_without_a_node_is_passed_over_for_the_next_one(delta):
    assert nearest_common_superior("320509", "320583").jurisdiction == "320000"  # Suzhou has no node


@pytest.mark.django_db
def test_without_a_common_superior_in_the_directory_nobody_else_takes_its_place(delta):
    Member.objects.filter(jurisdiction="100000").delete()
    with pytest.raises(NoCommonSuperior, match="no node above both 310000 and 320000"):
        nearest_common_superior("310000", "320000")
