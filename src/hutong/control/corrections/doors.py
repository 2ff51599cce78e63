"""The addresses of wrong records, for the OpenAPI document."""

from __future__ import annotations

from hutong.node import openapi
from hutong.node.openapi import JSON, URN, Answered, Given, Operation, closed, listed, shape

TEXT = {"type": "string"}
STANDS = Answered("How it stands.", {JSON: shape({"ticket": TEXT, "state": TEXT})})
REPORT = closed(
    {
        "agreement": URN,
        "items": listed(TEXT),
        "key": closed({"item": TEXT, "value": {"type": ["string", "integer"]}}),
        "fault": TEXT,
        "evidence": TEXT,
    }
)


def register() -> None:
    ticket = Given("ticket", "path", "The report's number.", {"type": "string", "minLength": 1})
    openapi.add(
        Operation(
            "post",
            "/hutong/corrections",
            "report_wrong_record",
            "Report a record that is wrong.",
            "application",
            {201: STANDS},
            body=REPORT,
        ),
        Operation(
            "get",
            "/hutong/corrections/{ticket}",
            "wrong_record",
            "How a report stands.",
            "application",
            {200: STANDS},
            (ticket,),
        ),
    )
