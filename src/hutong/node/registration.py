"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.node import duties

duties.take_on()
