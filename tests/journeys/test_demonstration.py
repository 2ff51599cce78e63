"""`make demo` tells its whole story with real nodes, stops at Ctrl-C, and goes on at the next start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.nodes import free_port

MUST_BE_TOLD = (
    "Six nodes are running",
    "Five members joined",
    "2 malformed lines were set aside",
    "The entry cannot be published yet.",
    "Shanghai agreed by article 21",
    "G-6",  # an item outside the agreement
    "D809-25",  # another purpose
    "D809-27",  # suspended
    "Six ledgers verified",
    "differing: 0",
)


def _ports_in_a_row() -> int:
    """The first of six free ports."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + 6):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first


@contextmanager
def _demo(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "hutong", "demo", str(folder), "--language", "en", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()  # it stops its nodes before it ends


def _until(process: subprocess.Popen[str], sentence: str) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if sentence in line:
            return told
    raise AssertionError(f"ended with {process.wait()}:\n{told}")


@pytest.mark.timeout(600)
def test_the_story_is_told_once_and_the_region_goes_on_at_the_next_start(tmp_path: Path):
    folder, first_port = tmp_path / "region", _ports_in_a_row()

    with _demo(folder, "--port", str(first_port)) as demo:
        told = " ".join(_until(demo, "Ctrl-C stops all nodes").split())
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert [sentence for sentence in MUST_BE_TOLD if sentence not in told] == []
    for port in range(first_port, first_port + 6):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))  # nobody is left on it

    with _demo(folder, "--leave") as demo:
        told, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0
    assert f"http://127.0.0.1:{first_port + 5}" in told
    assert "Six ledgers verified" not in told


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with _demo(tmp_path) as demo:
        told, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "was not made by hutong demo" in told
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"
