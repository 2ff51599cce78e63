"""Whoever follows the changes while several processes publish misses none of them, in either database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PUBLISHERS, EACH = 3, 40
# Read page by page with the cursor of the page before, until everything that was published has come.
FOLLOW = """
import sys, time
from hutong.node.settings import setup
setup(sys.argv[1])
from hutong.control.catalogue import feed
seen, cursor, deadline = [], 0, time.monotonic() + 90
while len(seen) < int(sys.argv[2]) and time.monotonic() < deadline:
    page = feed.page(feed.Wish(changes=True, after=cursor, size=7))
    seen += [one.dataset["@id"] for one in page.entries]
    cursor = int(page.cursor)
print(*seen)
"""


def test_a_reader_with_a_cursor_misses_nothing_that_is_published_side_by_side(home: Path) -> None:
    follower = subprocess.Popen(
        [sys.executable, "-c", FOLLOW, str(home), str(PUBLISHERS * EACH)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    command = [sys.executable, "-m", "tests.spec.publisher", str(home), str(EACH)]
    publishers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(PUBLISHERS)]
    published = [line for one in publishers for line in one.communicate(timeout=120)[0].split()]
    assert [one.returncode for one in publishers] == [0] * PUBLISHERS
    seen = follower.communicate(timeout=120)[0].split()
    assert len(published) == PUBLISHERS * EACH
    assert sorted(seen) == sorted(published)
