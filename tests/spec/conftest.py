"""Sources that many claims are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hutong.exchange.sources import Source
from tests.spec import five_sources


@pytest.fixture(scope="session", params=five_sources.KINDS)
def register(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Source]]:
    """The register as one of the five kinds, and the kind's name."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    url = ""
    if request.param == "postgresql":
        from tests.postgres import new_database

        url = new_database(request.getfixturevalue("postgres_url"), "register")
    source = five_sources.opened(request.param, folder, url)
    yield request.param, source
    source.close()
