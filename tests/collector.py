"""A real OTLP/HTTP receiver: what an OpenTelemetry collector would take in.

with Collector() as collector:
    environment = {"HUTONG_OTLP_ENDPOINT": collector.address}
    collector.trace(trace_id)
"""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serving import Handler, Serving


@dataclass(frozen=True)
class Span:
    """One step, as it arrived."""

    node: str  # service.instance.id
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]
    links: tuple[str, ...]  # traces


class Collector(Serving):
    def __init__(self) -> None:
        collector = self
        self.spans: list[Span] = []

        class Receiver(Handler):
            def do_POST(self) -> None:
                body = self.body()
                if self.headers.get("Content-Encoding") == "gzip":
                    import gzip

                    body = gzip.decompress(body)
                collector.take(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

        super().__init__(Receiver)

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            of_node = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {
                        one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes
                    }
                    self.spans.append(
                        Span(
                            of_node.get("service.instance.id", ""),
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            attributes,
                            tuple(link.trace_id.hex() for link in span.links),
                        )
                    )

    def trace(self, trace: str) -> list[Span]:
        return [one for one in self.spans if one.trace == trace]
