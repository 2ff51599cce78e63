"""The OpenAPI document says exactly what is served."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404

from hutong.exchange import app as exchange
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


def test_the_quiet_addresses_of_the_exchange_are_described():
    assert {route.path for route in exchange._quiet.routes} <= described()


@pytest.mark.parametrize("form", ["operationId", "path and method"])
def test_every_operation_has_a_name_of_its_own(form: str):
    names = [(one.name if form == "operationId" else (one.path, one.method)) for one in openapi.operations()]
    assert len(set(names)) == len(names)


def test_the_copy_in_the_documentation_is_this_one():
    kept = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == openapi.document(), "run: make docs"
