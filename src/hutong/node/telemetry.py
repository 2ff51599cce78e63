"""Traces across nodes under one id: W3C traceparent, carried as a signed component of a message.

Off unless `otlp_endpoint` is set; then spans leave by OTLP over HTTP (`pip install hutong[telemetry]`), and the usual
OTEL_ variables apply, sampling among them. A span says which step of what message between whom took how long. Its
attributes are those named here, and no others: never a case number, a key, a condition or a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, Literal

from hutong.node.settings import BadSetting, Settings
from hutong.vocabulary.errors import Refused

Kind = Literal["internal", "server", "client"]
ATTRIBUTES: Final = frozenset(
    {"peer", "agreement", "exchange", "form", "queries", "rows", "bytes", "status", "door", "message", "attempt"}
)
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")


class Step:
    """A step under way; does nothing while traces are off."""

    traceparent = ""  # what names it to whoever it asks

    def note(self, **attributes: str | int) -> None:
        """Say more about it, by names of ATTRIBUTES."""


class _Traced(Step):
    def __init__(self, span: Any) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def note(self, **attributes: str | int) -> None:
        for name, value in attributes.items():
            self._span.set_attribute("hutong." + name, _allowed(name, value))


class _Tracer:
    """OpenTelemetry, as far as we use it."""

    def __init__(self, node: Settings) -> None:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource.create({"service.name": "hutong", "service.instance.id": node.jurisdiction})
        provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=node.otlp_endpoint.rstrip("/") + "/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self._provider = provider
        self._tracer = provider.get_tracer("hutong")
        self._trace = trace
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, kind: Kind, parent: str, links: Sequence[str], attributes: dict[str, str | int]
    ) -> Iterator[Step]:
        given = {"hutong." + one: _allowed(one, value) for one, value in attributes.items()}
        with self._tracer.start_as_current_span(
            name,
            context=self._extracted(parent) if parent else None,
            kind=self._trace.SpanKind[kind.upper()],
            links=[self._trace.Link(self._context_of(one)) for one in links if one],
            attributes=given,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Traced(span)
            except BaseException as error:
                # Its code or its type alone: an error's text may hold values.
                span.set_attribute("error.type", error.code if isinstance(error, Refused) else type(error).__name__)
                span.set_status(self._trace.StatusCode.ERROR)
                raise

    def current(self) -> str:
        span = self._trace.get_current_span()
        return _Traced(span).traceparent if span.get_span_context().is_valid else ""

    def note(self, attributes: dict[str, str | int]) -> None:
        _Traced(self._trace.get_current_span()).note(**attributes)

    def stop(self) -> None:
        self._provider.shutdown()

    def _extracted(self, traceparent: str) -> Any:
        return self._propagator.extract({"traceparent": traceparent})

    def _context_of(self, traceparent: str) -> Any:
        return self._trace.get_current_span(self._extracted(traceparent)).get_span_context()


_NOTHING: Final = nullcontext(Step())
_tracer: _Tracer | None = None


def start(node: Settings) -> None:
    """Turn traces on for this process, where the settings name a collector.

    raises   BadSetting when the libraries are not installed
    """
    global _tracer  # noqa: PLW0603 - one per process
    if not node.otlp_endpoint or _tracer is not None:
        return
    try:
        _tracer = _Tracer(node)
    except ImportError as error:
        raise BadSetting(
            name="otlp_endpoint",
            reason="it needs: pip install 'hutong[telemetry]'",
            reason_zh="需要先安装：pip install 'hutong[telemetry]'",
        ) from error


def stop() -> None:
    """Send what is left."""
    if _tracer is not None:
        _tracer.stop()


def span(
    name: str, *, kind: Kind = "internal", parent: str = "", links: Sequence[str] = (), **attributes: str | int
) -> AbstractContextManager[Step]:
    """A step, as long as the block runs; part of the step around it unless a parent is named.

    parent   traceparent of a step of another process; one that is not well-formed is left out
    links    traceparents of further steps that this one serves
    """
    if _tracer is None:
        return _NOTHING
    return _tracer.span(name, kind, parent if is_traceparent(parent) else "", links, attributes)


def note(**attributes: str | int) -> None:
    """Say more about the step under way."""
    if _tracer is not None:
        _tracer.note(attributes)


def current() -> str:
    """The traceparent of the step under way; "" where there is none."""
    return "" if _tracer is None else _tracer.current()


def is_traceparent(text: str) -> bool:
    """Whether it is a traceparent of version 00, as W3C Trace Context writes it."""
    return bool(_TRACEPARENT.match(text))


def _allowed(name: str, value: str | int) -> str | int:
    if name not in ATTRIBUTES:
        raise ValueError(f"a span has no attribute {name}")
    return value
