"""The four forms rows leave in, chosen by content negotiation."""

from __future__ import annotations

from hutong.exchange.formats.choice import MEDIA_TYPES, NoSuchForm, choose
from hutong.exchange.formats.encoding import encode

__all__ = ["MEDIA_TYPES", "NoSuchForm", "choose", "encode"]
