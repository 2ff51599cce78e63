"""Departments of this jurisdiction."""
