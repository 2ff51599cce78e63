"""Supervision: how provider, requester and supervisor do their duties, in figures that open to their source."""
