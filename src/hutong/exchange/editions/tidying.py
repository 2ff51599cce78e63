"""What need not be kept: files of agreements that are over, what kills left, and downloads whose time has passed."""

from __future__ import annotations

from hutong.exchange.downloads import forget_old
from hutong.exchange.editions.shelf import Shelf
from hutong.exchange.grants.over import is_over

EVERY_S = 3600.0


def tidy(shelf: Shelf) -> None:
    """From a worker thread. Repeatable, and safe beside other processes that do it. raises   Unavailable"""
    forget_old()
    for agreement in shelf.agreements():
        if is_over(agreement):
            shelf.remove(agreement)
    shelf.clear()
