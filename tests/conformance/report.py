"""The result as a page of the documentation."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path

from tests.conformance import kit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance" / "dsp-tck.md"
GROUPS = {
    "MET": "Version metadata",
    "CAT": "Catalogue",
    "CN": "Negotiation, this node as provider",
    "CN_C": "Negotiation, this node as consumer",
    "TP": "Transfer, this node as provider",
    "TP_C": "Transfer, this node as consumer",
}


def page(results: list[kit.Result], seconds: float) -> str:
    """The page's text."""
    passed = sum(one.passed for one in results)
    head = f"""# Dataspace Protocol 2025-1: the technology compatibility kit

Written by `make conformance RECORD=1`; do not edit. How the node is made for it: `tests/conformance`.

| | |
| --- | --- |
| date | {datetime.now(UTC).date().isoformat()} |
| kit | Eclipse Dataspace TCK for DSP, {kit.version()} |
| node | Hutong {installed("hutong")}, SQLite |
| passed | {passed} of {len(results)} |
| took | {seconds:.0f} s |

The kit speaks as a connector outside the directory ([how](../how-to-let-an-outside-connector-in.md)). Where it is not
run as it comes:

* TP:02-04 and TP_C:02-04 are switched off in this version of the kit; they are switched on here.
* CN:01-02 names a data set by an id of the kit's own, whatever it was configured with; the profile puts ours there.
* Its parts are started by JUnit's console, because the kit's own main class is not published with this version.
"""
    return head + "".join(_group(prefix, title, results) for prefix, title in GROUPS.items())


def _group(prefix: str, title: str, results: list[kit.Result]) -> str:
    of_group = [one for one in results if one.name.startswith(f"{prefix}:")]
    rows = "".join(f"| {_id(one)} | {_what(one)} | {'passed' if one.passed else 'FAILED'} |\n" for one in of_group)
    return f"\n## {title}\n\n| scenario | what happens | result |\n| --- | --- | --- |\n{rows}"


def _id(one: kit.Result) -> str:
    return ":".join(one.name.split(":")[:2])


def _what(one: kit.Result) -> str:
    return re.sub(r"^Verify ", "", one.name.split(":", 2)[2].strip())
