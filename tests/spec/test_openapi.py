"""The OpenAPI document says exactly what is served."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404

from hutong.exchange import app as exchange
from hutong.exchange.sharing import door as sharing
from hutong.exchange.sharing.shares import Share
from hutong.node import openapi

ROOT = Path(__file__).resolve().parents[2]
# What stands in an address where the document has a name in braces.
SAMPLES = {
    "pid": "urn:uuid:01938f6e-2b1c-7000-8000-0000000000a1",
    "dataset": "01938f6e-2b1c-7000-8000-0000000000a1",
    "exchange": "01938f6e-2b1c-7000-8000-0000000000a1",
    "agreement": "urn:uuid:01938f6e-2b1c-7000-8000-0000000000a1",
    "name": "0/000",
    "origin": "0" * 64,
    "ticket": "1",
    "file": "0",
    "piece": "0",
}
NOT_DJANGO = ("/exchange/", "/metrics")


def address(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: SAMPLES[found[1]], path)


def described() -> set[str]:
    return {one.path for one in openapi.operations()}


def views_of(patterns: list[URLPattern | URLResolver]) -> set[object]:
    """Every view for programs: the portal's are for people."""
    found: set[object] = set()
    for one in patterns:
        if isinstance(one, URLPattern):
            found.add(one.callback)
        elif getattr(one.urlconf_name, "__name__", "") != "hutong.portal.urls":
            found |= views_of(one.url_patterns)
    return found


def test_what_is_described_is_served():
    missing = []
    for path in described():
        if path.startswith(NOT_DJANGO):
            continue
        try:
            resolve(address(path))
        except Resolver404:
            missing.append(path)
    assert not missing


def test_what_is_served_is_described():
    known = {resolve(address(path)).func for path in described() if not path.startswith(NOT_DJANGO)}
    assert views_of(get_resolver().url_patterns) - known == set()


def test_every_address_of_the_exchange_is_described_and_every_described_one_is_served():
    quiet = {route.path for route in exchange._quiet.routes}
    hot = {way.path for way in exchange.WAYS}
    assert {path for path in described() if path.startswith("/exchange/") and not is_shared(path)} == quiet | hot
    doors = {way.path: way.door for way in exchange.WAYS}
    for path in hot:
        assert exchange.door_to(address(path)) is doors[path], path  # and no other way takes it
    for path in quiet:
        assert exchange.door_to(address(path)) is None, path


def test_what_the_sharing_door_answers_is_described_and_the_other_way_round():
    share = Share("s", "urn:uuid:s", "320000")
    known = {"share": "s", "schema": "320000", "table": "rows"}
    of_tables = {}
    for one in (one for one in openapi.operations() if is_shared(one.path)):
        parts = one.path.format(**known).removeprefix(sharing.PREFIX).split("/")
        assert exchange.door_to(one.path.format(**known)) is exchange._sharing
        if len(parts) == 7:
            of_tables[parts[6]] = one.method.upper()
            assert sharing._table([share], parts) == share
        else:
            assert (one.method, bool(sharing._listed([share], parts, {}))) == ("get", True)
    assert of_tables == sharing._READS


def is_shared(path: str) -> bool:
    return path.startswith(sharing.PREFIX)


@pytest.mark.parametrize("form", ["operationId", "path and method"])
def test_every_operation_has_a_name_of_its_own(form: str):
    names = [(one.name if form == "operationId" else (one.path, one.method)) for one in openapi.operations()]
    assert len(set(names)) == len(names)


def test_the_copy_in_the_documentation_is_this_one():
    kept = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == openapi.document(), "run: make docs"
