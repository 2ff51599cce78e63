"""The coverage report: systems, their catalogue, live sources, and what is stale, counted as the audit counts."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from hutong.control.catalogue import actions, coverage, freshness, queries, rules, systems
from hutong.control.catalogue.models import Freshness, Resource, Watch
from hutong.control.statute import decisions
from hutong.control.statute.models import Decision
from hutong.exchange.models import Source
from hutong.exchange.sources import LastChange, SourceSpec, last_change
from hutong.vocabulary.errors import NotAllowed
from tests.companies import HEALTH, MARKET
from tests.postgres import new_database
from tests.publication import publish

pytestmark = pytest.mark.django_db
TODAY = date(2026, 3, 20)


@pytest.fixture
def in_march(at):
    at(TODAY)
    return at


def written(file, on: date) -> None:
    moment = datetime(on.year, on.month, on.day, 4, tzinfo=UTC).timestamp()
    os.utime(file, (moment, moment))


def counted(department=None):
    return coverage.total(coverage.report(department)).findings


def test_a_system_without_a_catalogue_and_a_resource_of_no_system_are_findings(people, published):
    assert counted() == {"no_catalogue": 0, "not_linked": 1, "no_live_source": 0, "no_conditions": 0, "stale": 0}
    systems.register_system(people["officer"], code="S-1", name="企业登记系统")
    systems.register_system(people["other"], code="H-1", name="疫苗接种系统")
    assert counted() == {"no_catalogue": 1, "not_linked": 0, "no_live_source": 0, "no_conditions": 0, "stale": 0}
    assert [one.code for one in coverage.found("no_catalogue")] == ["H-1"]
    assert counted(MARKET)["no_catalogue"] == 0
    rows = {one.department.code: one.counts for one in coverage.report()}
    assert (rows[MARKET].systems_with_catalogue, rows[MARKET].live, rows[HEALTH].systems) == (1, 1, 1)
    actions.withdraw(people["officer"], published.id)
    assert counted()["no_catalogue"] == 2


def test_a_draft_without_source_and_conditions_is_found_by_name(people, described):
    actions.describe(people["officer"], described.id, {"conditions": "", "source_system": "无此系统"})
    Resource.objects.update(source=None)
    assert counted() == {"no_catalogue": 0, "not_linked": 1, "no_live_source": 1, "no_conditions": 1, "stale": 0}
    for kind in ("not_linked", "no_live_source", "no_conditions"):
        assert [one.id for one in coverage.found(kind)] == [described.id]
    (loose,) = coverage.systems()
    assert (loose.code, loose.resources, loose.published, loose.no_live_source) == ("", 1, 0, 1)


def test_systems_list_what_the_catalogue_has_of_them(people, published):
    systems.register_system(people["steward"], code="S-1", name="企业登记系统", department_code=MARKET)
    systems.register_system(people["steward"], code="S-2", name="旧系统", department_code=MARKET)
    assert [(one.code, one.resources, one.live) for one in coverage.systems()] == [("S-1", 1, 1), ("S-2", 0, 0)]
    assert next(coverage.systems()).last_probe is not None
    systems.retire_system(people["officer"], systems.systems().get(code="S-2").id)
    assert [one.code for one in coverage.systems()] == ["S-1"]
    with pytest.raises(systems.SystemKnown):
        systems.register_system(people["officer"], code="S-1", name="x")
    with pytest.raises(NotAllowed):
        systems.register_system(people["auditor"], code="S-3", name="x", department_code=MARKET)


CYCLES = """
cycle | age | stale
1     | 999 | no
2     | 1   | no
2     | 2   | yes
3     | 1   | no
3     | 2   | yes
4     | 7   | no
4     | 8   | yes
5     | 31  | no
5     | 32  | yes
6     | 93  | yes
7     | 184 | no
8     | 366 | no
8     | 367 | yes
9     | 999 | no
"""


@pytest.mark.parametrize("line", CYCLES.strip().split("\n")[1:])
def test_cat_3_stale_data_is_older_than_its_cycle_and_never_guessed(
    people,
    described,
    csv_file,
    in_march,
    line,
):
    cycle, age, stale = (part.strip() for part in line.split("|"))
    actions.describe(people["officer"], described.id, {"update_cycle": cycle})
    publish(people["head"], described.id)
    written(csv_file, TODAY - timedelta(days=int(age)))
    freshness.look(Source.objects.get().id)
    assert (counted()["stale"], bool(coverage.found("stale"))) == ((1, True) if stale == "yes" else (0, False))
    since = coverage.stale_since(queries.resource(described.id))
    assert (since is not None) is (stale == "yes")


def test_a_resource_goes_stale_by_itself_and_a_new_file_makes_it_fresh(people, published, csv_file, in_march):
    written(csv_file, TODAY)
    freshness.look(Source.objects.get().id)
    assert Freshness.objects.get().fresh_until == TODAY + timedelta(days=1)
    decided = Decision.objects.filter(name="catalogue.freshness").count()
    freshness.look(Source.objects.get().id)
    assert Decision.objects.filter(name="catalogue.freshness").count() == decided, "nothing new, nothing decided"
    in_march(TODAY + timedelta(days=2))
    assert counted()["stale"] == 1
    written(csv_file, TODAY + timedelta(days=2))
    freshness.look(Source.objects.get().id)
    assert counted()["stale"] == 0
    assert all(decisions.replay(one).same for one in Decision.objects.all())


def test_what_was_taken_in_is_no_younger_than_the_intake(people, published, csv_file, in_march):
    later = datetime.now(UTC) + timedelta(days=30)
    os.utime(csv_file, (later.timestamp(), later.timestamp()))
    freshness.look(Source.objects.get().id)
    assert Watch.objects.get().changed_at <= datetime.now(UTC), "the newer file was not read yet"


def test_a_source_that_keeps_no_time_ages_from_when_it_was_first_seen_as_it_is(published, monkeypatch):
    marks = iter(["10", "10", "11", ""])
    monkeypatch.setattr(freshness, "last_change", lambda _: LastChange(None, next(marks)))
    source = Source.objects.get().id
    first = freshness.look(source)
    assert (first.changed_at, freshness.look(source).since) == (None, first.since)
    assert Freshness.objects.get().changed_on is not None
    seen = freshness.look(source)
    assert seen.changed_at is not None
    assert seen.since > first.since


def test_a_view_that_tells_nothing_is_never_called_stale(published, monkeypatch):
    monkeypatch.setattr(freshness, "last_change", lambda _: LastChange(None, ""))
    freshness.look(Source.objects.get().id)
    Watch.objects.update(since=datetime.now(UTC) - timedelta(days=999))
    freshness.settle(Resource.objects.get())
    assert Freshness.objects.get().fresh_until is None


def test_a_source_that_is_gone_is_due_again_only_after_a_pause(people, published, csv_file):
    source = Source.objects.get().id
    assert freshness.due() == [source]
    freshness.look_around()
    assert freshness.due() == []
    csv_file.unlink()
    assert freshness.due(datetime.now(UTC) + freshness.LOOK_AGAIN * 2) == [source]
    assert freshness.look(source) is None
    assert Freshness.objects.count() == 1
    assert rules.StaleData.declared("weekly").value == 7


def test_a_table_of_postgresql_tells_that_it_changed_and_a_view_tells_nothing(postgres_url):
    url = new_database(postgres_url, "last_change")
    with psycopg.connect(url, autocommit=True) as writer:
        writer.execute("CREATE TABLE company (uscc text); CREATE VIEW seen AS SELECT * FROM company")

        def mark(table: str) -> str:
            writer.execute("SELECT pg_stat_force_next_flush()")
            found = last_change(SourceSpec("postgresql", url, table))
            assert found.at is None
            return found.mark

        before = mark("company")
        assert mark("company") == before
        writer.execute("INSERT INTO company VALUES ('a')")
        inserted = mark("company")
        writer.execute("UPDATE company SET uscc = 'b'")
        updated = mark("company")
        writer.execute("DELETE FROM company")
        assert len({before, inserted, updated, mark("company")}) == 4
        assert mark("seen") == ""
