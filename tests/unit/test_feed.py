"""The catalogue in pages: whole, or what changed, at the protocol's own address."""

from __future__ import annotations

import re
import time
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hutong.control.agreements import protocol
from hutong.control.catalogue import federation, feed
from hutong.control.catalogue.models import ChangeClock, Entry
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339
from tests.dsp_peer import published
from tests.spec import dsp_schemas

pytestmark = pytest.mark.django_db


def ids(catalog):
    return [one["@id"] for one in catalog.get("dataset", [])]


def wanted(**names):
    return protocol.CatalogRequest(({f"hutong:{name}": value for name, value in names.items()},))


def link(answer, relation):
    found = re.search(rf'<([^>]+)>; rel="{relation}"', answer.headers.get("Link", ""))
    if found is None:
        return None
    parts = urlsplit(found[1])
    return f"{parts.path.removeprefix('/dsp/2025-1')}?{parts.query}"


def test_the_link_header_leads_through_every_page_and_back(anhui):
    entries = [published().id for _ in range(5)]
    answer = anhui.say("/catalog/request", wanted(limit=2))
    pages, last = [ids(answer.json())], answer
    assert link(answer, "previous") is None
    while (following := link(last, "next")) is not None:
        last = anhui.call("GET", following)
        assert dsp_schemas.complaints("catalog/catalog", last.json()) == []
        pages.append(ids(last.json()))
    assert pages == [entries[:2], entries[2:4], entries[4:]]
    back = []
    while (previous := link(last, "previous")) is not None:
        last = anhui.say(previous, protocol.CatalogRequest())  # by POST as well, as connectors do
        back.append(ids(last.json()))
    assert back == [entries[2:4], entries[:2]]


def test_an_entry_that_changes_while_somebody_pages_is_never_left_out(anhui):
    first, second, third = (anhui.node.entry(entry_id=new_id()) for _ in range(3))
    for one in (first, second, third):
        federation.accept(one, "340000")
    read = feed.page(feed.Wish(origin="340000", changes=True, size=2))
    federation.accept(anhui.node.entry(entry_id=first["dataset"]["@id"], version=2), "340000")
    rest = feed.page(read.next)
    assert [one.dataset["@id"] for one in rest.entries] == [third["dataset"]["@id"], first["dataset"]["@id"]]


def test_changes_since_the_last_reading_hold_withdrawals_and_the_origins_signature(anhui):
    entry_id = new_id()
    federation.accept(anhui.node.entry(entry_id=entry_id), "340000")
    everything = anhui.say("/catalog/request", wanted(changes="", origin="any")).json()
    assert ids(everything) == [entry_id]
    withdrawn = anhui.node.entry(entry_id=entry_id, version=2, state="withdrawn")
    federation.accept(withdrawn, "340000")
    since = anhui.say("/catalog/request", wanted(changes=everything["hutong:cursor"], origin="any")).json()
    assert feed.signed_entries(since) == [withdrawn]
    nothing = anhui.say("/catalog/request", wanted(changes=since["hutong:cursor"], origin="any")).json()
    assert (ids(nothing), nothing["hutong:more"], nothing["hutong:cursor"]) == ([], False, since["hutong:cursor"])


def test_the_plain_catalogue_holds_our_own_published_entries_only(anhui):
    federation.accept(anhui.node.entry(), "340000")
    own = published()
    catalog = anhui.say("/catalog/request", protocol.CatalogRequest()).json()
    assert ids(catalog) == [own.id]
    assert feed.PROOF not in catalog["dataset"][0]


def test_changed_since_a_time(anhui):
    published()
    before = time.time()
    later = published()
    moment = datetime.fromtimestamp(before, UTC)
    answer = anhui.say("/catalog/request", wanted(changedSince=moment.isoformat())).json()
    assert ids(answer) == [later.id]
    far = rfc3339(datetime(2100, 1, 1, tzinfo=UTC))
    assert ids(anhui.say("/catalog/request", wanted(changedSince=far)).json()) == []


def test_a_filter_of_another_connector_is_left_alone(anhui):
    own = published()
    for foreign in ({"offset": 0, "limit": 50}, "SELECT", None, {"https://w3id.org/edc/v0.0.1/ns/limit": 50}):
        answer = anhui.say("/catalog/request", protocol.CatalogRequest((foreign,)))
        assert (answer.status_code, ids(answer.json())) == (200, [own.id])


@pytest.mark.parametrize(
    "names",
    [
        {"changes": 7},
        {"changes": "-1"},
        {"changes": "٣"},
        {"changes": "9" * 30},
        {"changedSince": "yesterday"},
        {"changedSince": "2026-01-01T00:00:00"},
        {"changedSince": 5},
        {"limit": 0},
        {"limit": True},
        {"limit": 10**6},
        {"origin": ["340000"]},
        {"origin": "any"},
        {"sortedBy": "title"},
    ],
)
def test_a_wish_of_ours_that_has_no_such_value_is_refused(anhui, names):
    answer = anhui.say("/catalog/request", wanted(**names))
    assert (answer.status_code, answer.json()["@type"], answer.json()["code"]) == (400, "CatalogError", "bad_input")
    assert dsp_schemas.complaints("catalog/catalog-error", answer.json()) == []


@pytest.mark.parametrize("token", ["x", "%20", "bnVsbA", "W10", "WyIiLGZhbHNlLDAsMCxudWxsLC0xXQ", "A" * 5000, "WzFd"])
def test_a_page_address_nobody_gave_out_is_refused(anhui, token):
    answer = anhui.call("GET", f"/catalog/request?continuationToken={token}")
    assert (answer.status_code, answer.json()["@type"]) == (400, "CatalogError")


def test_an_empty_message_is_no_catalog_request(anhui):
    assert anhui.call("POST", "/catalog/request", {}).status_code == 400


def test_a_connector_that_is_no_member_sees_only_what_we_publish(anhui):
    feed.check_may_read(feed.Wish(), is_member=False)
    feed.check_may_read(feed.Wish(origin="320000"), is_member=False)
    with pytest.raises(feed.MembersOnly):
        feed.check_may_read(feed.Wish(origin="340000"), is_member=False)
    with pytest.raises(feed.MembersOnly):
        feed.check_may_read(feed.Wish(origin=feed.ANY, changes=True), is_member=False)


def test_a_clock_that_falls_back_gives_no_number_twice(anhui):
    ahead = time.time_ns() // 1000 + 3_600_000_000
    ChangeClock.objects.update_or_create(id=1, defaults={"last": ahead})
    assert [feed.advance(), feed.advance()] == [ahead + 1, ahead + 2]


def test_a_page_is_full_at_its_bytes_whatever_number_was_asked_for(anhui, monkeypatch):
    entries = [published().id for _ in range(4)]
    one = len(str(Entry.objects.first().dataset))
    monkeypatch.setattr(feed, "PAGE_BYTES", 2 * one)
    pages, wish = [], feed.Wish(size=1000)
    while wish is not None:
        page = feed.page(wish)
        pages.append([kept.dataset["@id"] for kept in page.entries])
        wish = page.next
    assert [one for page in pages for one in page] == entries
    assert max(len(page) for page in pages) <= 2
    monkeypatch.setattr(feed, "PAGE_BYTES", 1)  # an entry larger than a page still comes, alone
    assert len(feed.page(feed.Wish()).entries) == 1


@pytest.mark.parametrize(
    "wish",
    [
        feed.Wish(after=5),
        feed.Wish(before=2**60),
        feed.Wish(origin="340000", changes=True, after=5),
        feed.Wish(origin=feed.ANY, changes=True, after=5),
    ],
)
def test_a_page_is_one_range_of_an_index_and_sorts_nothing(anhui, wish):
    published()
    with CaptureQueriesContext(connection) as caught:
        feed.page(wish)
    statement = next(one["sql"] for one in caught.captured_queries if "LIMIT" in one["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + statement)
        plan = " ".join(str(row[-1]) for row in cursor.fetchall())
    assert "USING INDEX" in plan
    assert "TEMP B-TREE" not in plan


@pytest.fixture
def three_thousand(anhui):
    """Entries of ours, one in ten withdrawn."""
    one = published()
    columns = {field.attname: getattr(one, field.attname) for field in Entry._meta.concrete_fields}
    rows = []
    for number in range(1, 3000):
        made = str(UUID(int=number))
        state = "withdrawn" if number % 10 == 0 else "published"
        changed = {"id": made, "change": one.change + number, "state": state, "dataset": one.dataset | {"@id": made}}
        rows.append(Entry(**(columns | changed)))
    Entry.objects.bulk_create(rows, batch_size=500)
    return one.change


def machine_steps(work):
    """What a statement costs SQLite, in steps of its machine: the same on every computer, busy or not."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1
        return 0

    connection.connection.set_progress_handler(count, 1)
    try:
        work()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps


@pytest.mark.parametrize("wish", [feed.Wish(), feed.Wish(origin="320000", changes=True), feed.Wish(feed.ANY, True)])
def test_the_last_page_costs_what_the_first_one_does(three_thousand, wish):
    pages = [three_thousand + 100, three_thousand + 1500, three_thousand + 2800]
    costs = [machine_steps(partial(feed.page, replace(wish, after=one))) for one in pages]
    assert max(costs) < 1.2 * min(costs)
    since = [machine_steps(partial(feed.page, replace(wish, since=one, after=one + 50))) for one in pages]
    assert max(since) < 1.2 * min(since)


def test_a_page_of_a_large_catalogue_takes_the_memory_of_a_page(three_thousand):
    tracemalloc.start()
    try:
        feed.page(feed.Wish(after=three_thousand + 100))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        page = feed.page(feed.Wish(after=three_thousand + 500))
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert len(page.entries) == feed.PAGE_ENTRIES
    # Decoded, an entry takes some six times its text; the whole catalogue would take thirty times as much again.
    assert peak < 12 * sum(len(str(one.dataset)) for one in page.entries)


def test_a_wish_survives_its_address():
    for wish in (feed.Wish(), feed.Wish("340000", True, 3, 4, None, 7), feed.Wish(before=9, size=1000)):
        assert feed.Wish.of_token(wish.token()) == wish
    with pytest.raises(BadInput):
        feed.Wish.of_token(feed.Wish(feed.ANY, True).token().replace("W", "X", 1))
