"""Long lists in pages: every row once, in order, whichever way one walks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict

from hutong.control.agreements.models import Negotiation
from hutong.portal.components.paging import Sheet, sheet

pytestmark = pytest.mark.django_db
SIZE = 4


@pytest.fixture
def rows() -> list[str]:
    """Eleven of two departments, three of them of one moment; their ids in the order of the list."""
    first = datetime(2026, 3, 2, 9, tzinfo=UTC)
    moments = [0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8]
    for n, moment in enumerate(moments):
        one = Negotiation.objects.create(
            pid=f"p{n:02}", role="provider", peer="310000", state="REQUESTED", department="" if n % 3 == 0 else "A"
        )
        Negotiation.objects.filter(pid=one.pid).update(created_at=first + timedelta(microseconds=moment))
    return [f"p{n:02}" for n in reversed(range(len(moments)))]


def page(address: str) -> Sheet[Negotiation]:
    lists = [Negotiation.objects.filter(department="A"), Negotiation.objects.filter(department="")]
    query = QueryDict(address.partition("?")[2]).dict()
    return sheet(lists, "created_at", "/inbox/", query, size=SIZE)


def walk(address: str, way: str) -> list[list[str]]:
    seen = []
    while address:
        shown = page(address)
        seen.append([one.pid for one in shown.rows])
        address = getattr(shown, way)
    return seen


def test_every_row_stands_once_and_the_newest_first(rows: list[str]) -> None:
    assert [pid for shown in walk("/inbox/?show=all", "next_url") for pid in shown] == rows


def test_from_the_last_page_back_the_same_rows_come(rows: list[str]) -> None:
    back = walk(page("/inbox/").last_url, "previous_url")
    assert [pid for shown in reversed(back) for pid in shown] == rows


def test_the_ends_have_no_way_beyond(rows: list[str]) -> None:
    first, last = page("/inbox/"), page(page("/inbox/").last_url)
    assert (first.first_url, first.previous_url, last.next_url, last.last_url) == ("", "", "", "")
    assert (first.total, first.more, len(rows)) == (11, False, 11)


def test_a_place_that_is_none_means_the_beginning(rows: list[str]) -> None:
    for place in ("x", "20260302T090000.000000", "~", "20269999T000000.0~p", "\x00~\x00"):
        assert [one.pid for one in page(f"/inbox/?after={place}").rows] in (rows[:SIZE], [])


def test_the_rest_of_the_address_stays_in_every_link(rows: list[str]) -> None:
    shown = page("/inbox/?show=all")
    assert rows
    assert "show=all" in shown.next_url
    assert "show=all" in shown.last_url


def test_rows_that_come_meanwhile_move_nothing(rows: list[str]) -> None:
    following = page("/inbox/").next_url
    before = [one.pid for one in page(following).rows]
    Negotiation.objects.create(pid="new", role="provider", peer="310000", state="REQUESTED", department="A")
    assert [one.pid for one in page(following).rows] == before == rows[SIZE : 2 * SIZE]
