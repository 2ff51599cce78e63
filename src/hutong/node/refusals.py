"""Where a refusal is said to somebody: page, answer to a message, command line. Parts above the node may listen.

A refusal that is caught and handled inside the program is not said, and is not heard here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from hutong.vocabulary.errors import Refused

log = logging.getLogger("hutong.refusals")
Listener = Callable[[Refused], None]
_listeners: list[Listener] = []


def on_refusal(listener: Listener) -> None:
    """Call the listener with each refusal that is said, outside the transaction that was undone by it."""
    if listener not in _listeners:
        _listeners.append(listener)


def said(refused: Refused) -> None:
    """MUST be called once where a refusal leaves the program."""
    for listener in _listeners:
        # The edge: whoever is refused hears why, whatever becomes of the listener.
        try:
            listener(refused)
        except Exception:
            log.exception("a listener failed on the refusal %s", refused.code)
