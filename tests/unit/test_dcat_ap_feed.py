"""The catalogue for harvesters of DCAT-AP: whose eyes it is for, and that its pages are whole."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from hutong.control.catalogue import federation, feed
from hutong.node.settings import FILE_NAME, change, current
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id, uuid_of
from tests.conftest import HOME
from tests.dsp_peer import peer, published
from tests.region import neighbour, ourselves

pytestmark = pytest.mark.django_db
ADDRESS = "/dcat-ap/catalog"


@pytest.fixture
def region():
    ourselves()
    return neighbour("yrd", "region")


@pytest.fixture
def opened():
    """The operator lets anyone read the catalogue."""
    before = (HOME / FILE_NAME).read_text(encoding="utf-8")
    change(HOME / FILE_NAME, public_catalogue="yes")
    yield
    (HOME / FILE_NAME).write_text(before, encoding="utf-8")


def walk(client):
    """Every page from the first to the last, by the addresses they name."""
    address = ADDRESS
    while address:
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/ld+json")
        catalog, view = answer.json()["@graph"]
        yield [uuid_of(one["dct:identifier"][0]["@value"]) for one in catalog.get("dcat:dataset", [])]
        following = view.get("hydra:next", {}).get("@id", "")
        assert (f'<{following}>; rel="next"' in answer.headers.get("Link", "")) is bool(following)
        address = following.removeprefix(current().base_url)


def test_strangers_are_refused_until_the_operator_opens_it(region):
    published()
    answer = Client().get(ADDRESS)
    assert answer.status_code == 401
    assert b"dcat:Dataset" not in answer.content


def test_members_read_it_signed(region):
    anhui = peer("340000")
    entry = published()
    headers = sign_request(
        "GET", current().base_url + ADDRESS, body_digest(b""), anhui.key, message_id=new_id(), now=time.time()
    )
    answer = Client().get(ADDRESS, headers=headers)
    assert answer.status_code == 200
    assert entry.id in answer.json()["@graph"][0]["dcat:dataset"][0]["@id"]


def test_its_pages_hold_our_own_published_entries_once_each(region, opened, monkeypatch):
    monkeypatch.setattr("hutong.control.catalogue.feed.PAGE_BYTES", 1)  # one on each page
    anhui = neighbour("340000")
    federation.accept(anhui.entry(), "yrd")
    entries = [published().id for _ in range(3)]
    assert list(walk(Client())) == [[one] for one in entries]


def test_an_address_cannot_ask_for_more_than_that(region, opened):
    federation.accept(neighbour("340000").entry(), "yrd")
    token = feed.Wish(feed.ANY, changes=True).token()
    answer = Client().get(f"{ADDRESS}?page={token}")
    assert "dcat:dataset" not in answer.json()["@graph"][0]
    assert Client().get(f"{ADDRESS}?page=x").status_code == 400
    assert Client().post(ADDRESS).status_code == 405


def test_an_empty_catalogue_is_one(region, opened):
    assert list(walk(Client())) == [[]]
