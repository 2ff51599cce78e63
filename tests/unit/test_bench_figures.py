"""A figure says `reached` or `short` by its own goal, never by the reader's eye."""

from __future__ import annotations

import pytest

from bench.__main__ import from_document
from bench.figure import Figure


@pytest.mark.parametrize(
    ("figure", "reached"),
    [
        (Figure("queries", 1200, "/s", goal=1000), True),
        (Figure("queries", 999, "/s", goal=1000), False),
        (Figure("queries", 300, "/s", goal=0.25, limit=1000, judged="ratio"), True),
        (Figure("queries", 200, "/s", goal=0.25, limit=1000, judged="ratio"), False),
        (Figure("p99", 40, "ms", goal=50, better="less"), True),
        (Figure("p99", 60, "ms", goal=50, better="less"), False),
    ],
)
def test_a_goal_is_reached_or_short(figure: Figure, reached: bool):
    assert figure.reached is reached
    assert figure.line().split("  (")[0].endswith("reached" if reached else "short")
    assert from_document(figure.document()) == figure


def test_a_ratio_without_a_limit_is_no_figure():
    with pytest.raises(ValueError, match="none was measured"):
        Figure("queries", 1, "/s", goal=0.5, judged="ratio")
