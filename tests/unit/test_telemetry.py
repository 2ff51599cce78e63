"""Traces: what a person decides here and what another node does about it stand under one id."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hutong.node import delivery, messages, telemetry
from hutong.node.client import SignedAnswer
from hutong.node.models import OutboxMessage
from hutong.node.settings import BadSetting, current
from hutong.vocabulary.errors import NotFound
from tests.collector import Collector
from tests.region import neighbour, ourselves


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as made:
        monkeypatch.setattr(telemetry, "_tracer", None)
        telemetry.start(replace(current(), otlp_endpoint=made.address))
        yield made
        telemetry.stop()


class Wire:
    """What the courier hands to the network, with the trace it stands under."""

    def __init__(self) -> None:
        self.traces: list[str] = []

    async def call(self, *_: Any, **__: Any) -> SignedAnswer:
        self.traces.append(telemetry.current())
        return SignedAnswer(200, {}, b"{}", True)


@pytest.mark.django_db
def test_a_message_is_delivered_under_the_trace_of_the_decision_it_tells(collector: Collector):
    ourselves()
    neighbour("340000")
    with telemetry.span("page", kind="server", door="pages") as page:
        messages.post("340000", "negotiation:1", "/dsp/2025-1/negotiations/request", {})
    message = OutboxMessage.objects.get()
    assert message.traceparent == page.traceparent
    wire = Wire()
    asyncio.run(delivery._send(wire, message, delivery._Route("https://anhui.example/dsp", "340000")))
    telemetry.stop()
    trace = page.traceparent.split("-")[1]
    assert [one.split("-")[1] for one in wire.traces] == [trace]
    steps = {one.name: one for one in collector.trace(trace)}
    assert steps["deliver"].parent == steps["page"].id
    assert steps["deliver"].attributes["hutong.peer"] == "340000"


def test_an_error_is_told_by_its_code_and_never_by_its_text(collector: Collector):
    with pytest.raises(NotFound), telemetry.span("page"):
        raise NotFound(what="record", name="320101199001011234")
    with pytest.raises(ValueError, match="320101199001011234"), telemetry.span("page"):
        raise ValueError("320101199001011234")
    telemetry.stop()
    assert {one.attributes["error.type"] for one in collector.spans} == {"not_found", "ValueError"}
    assert "320101199001011234" not in str(collector.spans)


def test_an_attribute_that_is_not_of_the_list_is_a_mistake_of_ours(collector: Collector):
    with pytest.raises(ValueError, match="no attribute case"), telemetry.span("page", case="2026-1"):
        pass


@pytest.mark.parametrize("text", ["", "00-1-2-01", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "ff" * 28])
def test_a_traceparent_that_is_none_begins_a_trace_of_its_own(collector: Collector, text: str):
    with telemetry.span("page", parent=text) as page:
        assert telemetry.is_traceparent(page.traceparent)
    assert text not in page.traceparent or not text


def test_switched_off_it_is_nothing():
    with telemetry.span("page", door="pages") as page:
        page.note(status=200)
        assert page.traceparent == telemetry.current() == ""


def test_without_its_libraries_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setattr(telemetry, "_tracer", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(BadSetting, match=r"pip install 'hutong\[telemetry\]'"):
        telemetry.start(replace(current(), otlp_endpoint="http://127.0.0.1:1"))
