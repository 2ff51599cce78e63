"""The catalogue's feed and the health of its resources, for the OpenAPI document."""

from __future__ import annotations

from hutong.control.catalogue.health import STATES
from hutong.node import openapi
from hutong.node.openapi import JSON, OBJECT, Answered, Given, Operation, listed, shape

STATE = {"enum": list(STATES.codes)}
RESOURCE = shape({"resource": {"type": "string"}, "state": STATE, "p95_ms": {"type": ["integer", "null"]}})
PAGE = shape({"resources": listed(RESOURCE), "after": {"type": ["string", "null"]}})


def register() -> None:
    openapi.add(
        Operation(
            "get",
            "/dcat-ap/catalog",
            "dcat_ap_catalog",
            "What this node publishes, as DCAT-AP; open to anyone where the operator says so.",
            "member",
            {200: Answered("A page, as JSON-LD.", {"application/ld+json": OBJECT})},
            (Given("page", "query", "The page, as an earlier one names it."),),
        ),
        Operation(
            "get",
            "/hutong/health/resources",
            "resources_health",
            "How each published resource stands, a page by id.",
            "operator",
            {200: Answered("The page, and the last id where there is more.", {JSON: PAGE})},
            (Given("after", "query", "The last id already known."),),
        ),
    )
