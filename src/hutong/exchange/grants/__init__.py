"""Grants: agreements compiled for the data plane."""

from __future__ import annotations

from hutong.exchange.grants.grant import BadGrant, Grant, GrantedItem
from hutong.exchange.grants.rules import Allowed, Standing, check
from hutong.exchange.grants.store import put, set_state

__all__ = ["Allowed", "BadGrant", "Grant", "GrantedItem", "Standing", "check", "put", "set_state"]
