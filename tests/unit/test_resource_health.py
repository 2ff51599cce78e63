"""The health of each resource resource: on the page, and for the operator's monitoring."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.test import Client

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue import health
from hutong.control.catalogue.models import Freshness, Resource
from hutong.exchange.models import ExchangeRecord, Source
from hutong.node import operator
from hutong.node.settings import current
from hutong.vocabulary.ids import new_id
from tests.publication import supervisor

pytestmark = pytest.mark.django_db
TOKEN = "t" * 24


@pytest.fixture
def resource(published) -> Resource:
    return Resource.objects.get(id=published.id)


def state_of(resource: Resource) -> str:
    return health.of([Resource.objects.get(id=resource.id)])[0].state


def test_the_worst_that_holds_is_the_state(resource):
    assert state_of(resource) == "well"
    Freshness.objects.update_or_create(resource=resource, defaults={"fresh_until": date(2020, 1, 1)})
    assert state_of(resource) == "stale"
    source = Source.objects.get()
    Source.objects.update(schema=source.schema[1:])
    assert state_of(resource) == "changed"
    Source.objects.update(check_ok=False)
    assert state_of(resource) == "fails"
    Resource.objects.update(source=None)
    assert state_of(resource) == "no_source"


def test_an_item_that_the_source_no_longer_has_is_named(resource):
    gone = Source.objects.get().schema[0]["name"]
    Source.objects.update(schema=Source.objects.get().schema[1:])
    assert health.of([resource])[0].missing == (gone,)


def served(resource: Resource, took_ms: list[int]) -> None:
    negotiation = Negotiation.objects.create(pid="urn:uuid:n", role="provider", peer="340000")
    agreement = Agreement.objects.create(
        id="urn:uuid:a",
        negotiation=negotiation,
        role="provider",
        peer="340000",
        resource_id=resource.id,
        document={},
        digest="",
        state="active",
        starts_at=resource.created_at,
    )
    for number, took in enumerate(took_ms):
        ExchangeRecord.objects.create(
            exchange_id=new_id(),
            role="provider",
            peer="340000",
            agreement_id=agreement.id,
            outcome="served" if number else "refused",
            at=resource.created_at + timedelta(seconds=number),
            took_ms=took,
        )


def test_how_long_it_takes_is_read_from_what_was_served(resource):
    assert health.of([resource])[0].p95_ms is None
    served(resource, [90_000, *range(1, 101)])
    found = health.of([resource])[0]
    assert found.p95_ms == 96
    assert found.served_at == resource.created_at + timedelta(seconds=100)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    from dataclasses import replace

    own = replace(current(), operator_token=TOKEN)
    monkeypatch.setattr(operator, "current", lambda: own)
    return TOKEN


def test_monitoring_reads_it_by_the_operators_token(resource, token):
    told = Client().get("/hutong/health/resources", headers={"Authorization": f"Bearer {token}"})
    (one,) = json.loads(told.content)["resources"]
    assert (one["resource"], one["state"], one["p95_ms"]) == (resource.id, "well", None)


@pytest.mark.parametrize("authorization", ["", "Bearer " + "x" * 24, TOKEN])
def test_nobody_else_does(resource, token, authorization):
    assert Client().get("/hutong/health/resources", headers={"Authorization": authorization}).status_code == 401


def test_without_a_token_it_is_nobodys(resource):
    told = Client().get("/hutong/health/resources", headers={"Authorization": "Bearer "})
    assert (told.status_code, json.loads(told.content)["code"]) == (401, "not_the_operator")


def test_the_page_says_it_in_words(people, resource):
    Source.objects.update(schema=Source.objects.get().schema[1:])
    page = _at_the_portal().get("/coverage/health/")
    assert page.status_code == 200
    assert "its source has another structure" in page.content.decode()


def _at_the_portal() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(supervisor())
    return client
