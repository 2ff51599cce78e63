"""What `hutong doctor` asks of the exchange: does each registered source answer now."""

from __future__ import annotations

from collections.abc import Iterator

from hutong.exchange.models import Source
from hutong.node import checkup
from hutong.node.checkup import Finding
from hutong.node.keys import unseal
from hutong.node.settings import Settings
from hutong.vocabulary.errors import Refused


def register() -> None:
    checkup.add("sources", sources)


def sources(settings: Settings) -> Iterator[Finding]:
    """Probe every source, as a publication would. One that does not answer is named, never its location."""
    from hutong.exchange.sources import SourceSpec, probe
    from hutong.exchange.sources.spec import SourceDrifted

    for source in Source.objects.order_by("name"):
        name = f"source {source.name}"
        snapshot = str(settings.snapshots_folder / source.snapshot) if source.snapshot else ""
        try:
            answer = probe(
                SourceSpec.kept(source.kind, unseal(bytes(source.location)).decode(), source.table, snapshot)
            )
        except Refused as refused:
            yield Finding(name, "fail", refused.say("en"))
        else:
            if source.drift:
                yield Finding(name, "fail", SourceDrifted(items=source.drift).say("en"))
            else:
                yield Finding(name, "ok", answer.message)
