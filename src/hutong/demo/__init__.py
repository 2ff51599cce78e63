"""A region on one machine, seeded."""
