"""Hutong 互通: jurisdictions share government data lawfully, fast and with proof."""

from __future__ import annotations

__version__ = "0.1.0"
