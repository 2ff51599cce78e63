"""Who else acts when a clock changes: called in the transaction that changes it.

@on_extended(ReplyConditional)
def tell_the_requester(clock: Clock) -> None: ...
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from hutong.control.clocks.models import Clock
from hutong.vocabulary.rulebook import ClockRule

Hook = Callable[[Clock], None]
_extended: dict[str, list[Hook]] = defaultdict(list)


def on_extended(rule: type[ClockRule]) -> Callable[[Hook], Hook]:
    """Call when the supervisor has consented to an extension of such a clock."""

    def decorate(hook: Hook) -> Hook:
        if hook not in _extended[rule.name()]:
            _extended[rule.name()].append(hook)
        return hook

    return decorate


def extended(clock: Clock) -> None:
    for hook in _extended[clock.rule]:
        hook(clock)
