"""Disputes and their coordination, up to the nearest common superior."""
