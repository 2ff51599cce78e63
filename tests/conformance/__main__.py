"""`make conformance`: a node of its own, the kit against it, and a page of the result.

    python -m tests.conformance [--record] [--keep DIR]

Ends with 0 only when every one of the kit's 67 scenarios passed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conformance import kit, report, scenarios, seed
from tests.conformance.kit import KitFailed, ToolMissing
from tests.conformance.node import NEGOTIATE, TRANSFER
from tests.conformance.seed import Seeded
from tests.this_machine import free_port, until

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".venv" / "conformance"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    arguments.add_argument("--record", action="store_true", help="write docs/conformance/dsp-tck.md")
    arguments.add_argument("--keep", type=Path, help="make the node in this folder and leave it there")
    chosen = arguments.parse_args()
    try:
        deps = kit.fetch(CACHE)
        began = time.monotonic()
        results = _against_a_node(deps, chosen.keep)
    except (ToolMissing, KitFailed, TimeoutError, subprocess.TimeoutExpired) as failed:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    page = report.page(results, time.monotonic() - began)
    (CACHE / "report.md").write_text(page, encoding="utf-8")
    if chosen.record:
        report.PAGE.parent.mkdir(parents=True, exist_ok=True)
        report.PAGE.write_text(page, encoding="utf-8")
    return _told(results)


def _told(results: list[kit.Result]) -> int:
    failed = [one for one in results if not one.passed]
    for one in failed:
        print(f"failed: {one.name}\n        {one.why}")
    print(f"Dataspace Protocol kit {kit.version()}: {len(results) - len(failed)} passed, {len(failed)} failed")
    if len(results) != scenarios.EVERY:
        print(f"error: {scenarios.EVERY} scenarios are expected, the kit ran {len(results)}", file=sys.stderr)
    return 1 if failed or len(results) != scenarios.EVERY else 0


def _against_a_node(deps: Path, keep: Path | None) -> list[kit.Result]:
    with tempfile.TemporaryDirectory(prefix="hutong-kit-") as made:
        home, port = (keep or Path(made) / "node").resolve(), free_port()
        listen, address = f"127.0.0.1:{free_port()}", f"http://localhost:{port}"
        seeded = seed.make(home, listen, address)
        with _serving(home, seeded.base_url):
            seed.conclude(seeded, home, port)
            return kit.run(deps, _properties(seeded, port, address), CACHE / "reports")


@contextmanager
def _serving(home: Path, base_url: str) -> Iterator[None]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUTONG_", "DJANGO_"))}
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    log = CACHE / "node.log"
    with log.open("wb") as output:
        node = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.node", str(home)],
            env=clean | {"PYTHONPATH": path},
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
        try:
            until(lambda: _healthy(node, base_url), within_s=60.0, what=f"the start of the node (see {log})")
            yield
        finally:
            node.terminate()
            node.wait(timeout=30)


def _healthy(node: subprocess.Popen[bytes], base_url: str) -> bool:
    if node.poll() is not None:
        raise KitFailed(f"the node ended with {node.returncode}:\n{(CACHE / 'node.log').read_text()[-4000:]}")
    try:
        with urllib.request.urlopen(f"{base_url}/hutong/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _properties(seeded: Seeded, port: int, address: str) -> dict[str, str]:
    """The kit's configuration. Its waits are in seconds."""
    given = {
        "dataspacetck.dsp.local.connector": "false",
        "dataspacetck.dsp.connector.agent.id": seeded.participant,
        "dataspacetck.dsp.connector.http.url": seeded.protocol,
        "dataspacetck.dsp.connector.http.base.url": seeded.base_url,
        "dataspacetck.dsp.connector.http.headers.authorization": f"Bearer {seeded.token}",
        "dataspacetck.dsp.connector.negotiation.initiate.url": seeded.base_url + NEGOTIATE,
        "dataspacetck.dsp.connector.transfer.initiate.url": seeded.base_url + TRANSFER,
        "dataspacetck.dsp.default.wait": str(kit.WAIT_S),
        "dataspacetck.host": "localhost",
        "dataspacetck.port": str(port),
        "dataspacetck.callback.address": address,
        "dataspacetck.ansi": "false",
        "dataspacetck.debug": "true",
        f"{scenarios.UNKNOWN_DATASET}_DATASETID": "01938f6e-2b1c-7000-8000-00000000dead",
    }
    given |= {f"{name}_DATASETID": resource for name, resource in seeded.datasets.items()}
    given |= {f"{name}_OFFERID": offer for name, offer in seeded.offers.items()}
    given |= {f"{name}_DATASETID": name for name in scenarios.CONSUMER_NEGOTIATIONS}
    given |= {f"{name}_AGREEMENTID": agreement for name, agreement in seeded.agreements.items()}
    return given | {f"{name}_FORMAT": "HttpData-PULL" for name in seeded.agreements}


if __name__ == "__main__":
    sys.exit(main())
