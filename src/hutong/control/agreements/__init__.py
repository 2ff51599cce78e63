"""Dataspace Protocol negotiations and transfers, and the agreements they end in."""
