"""Cutting a source to what was agreed: rows by a condition, items by name, values by masks."""
