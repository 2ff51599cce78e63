"""Decisions: who may share what with whom. Django; workflow as tables."""
