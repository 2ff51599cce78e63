"""Zones (示范区): members that treat each other's departments as their own (无差别)."""
