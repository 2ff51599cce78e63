"""The three published lists, for the OpenAPI document."""

from __future__ import annotations

from hutong.node import openapi
from hutong.node.openapi import JSON, OBJECT, Answered, Given, Operation

KINDS = {"demand": "Demands", "duty": "Duties", "barred": "What may not be shared"}


def register() -> None:
    version = Given("version", "query", "An earlier version.", {"type": "integer", "minimum": 1})
    for kind, said in KINDS.items():
        for form, media, schema in (("json", JSON, OBJECT), ("csv", "text/csv; charset=utf-8", {})):
            openapi.add(
                Operation(
                    "get",
                    f"/lists/{kind}.{form}",
                    f"{kind}_list_{form}",
                    f"{said}: the published list; open to anyone where the operator says so.",
                    "member",
                    {200: Answered("The list.", {media: schema})},
                    (version,),
                )
            )
