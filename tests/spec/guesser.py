"""A process of a node that tries to sign in: `python -m tests.spec.guesser HOME TIMES`. Prints how many got through."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from hutong.node.settings import setup

NOW = datetime(2031, 3, 4, 9, 0, tzinfo=UTC)  # every process guesses in the same window


def guess(_: int) -> bool:
    from django.db import connection

    from hutong.control.identity import sign_in

    try:
        attempt = sign_in.begin("wang", "10.0.0.9", NOW)
        sign_in.failed(attempt, NOW)
    except sign_in.TooManySignIns:
        return False
    finally:
        connection.close()
    return True


if __name__ == "__main__":
    setup(Path(sys.argv[1]))
    with ThreadPoolExecutor(4) as side_by_side:
        print(sum(side_by_side.map(guess, range(int(sys.argv[2])))))
