"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.exchange import check, doors, readings
from hutong.exchange.subscriptions import feeds, hooks, keeping, pushing, watching
from hutong.node import metrics, work

check.register()
doors.register()
metrics.add("sources", readings.sources)
work.register_aside(feeds.LOOKING, watching.look_due, watching.LOOK_EVERY_S)
work.register_aside(feeds.PUSHING, pushing.push_due, pushing.PUSH_EVERY_S)
work.register_aside(feeds.HOOKING, hooks.send_due, hooks.HOOK_EVERY_S)
work.register_aside("subscriptions.forget", keeping.forget_due, keeping.FORGET_EVERY_S)
