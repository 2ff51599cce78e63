"""Conduct under an agreement 履约: suspension and rectification, disposal, use, incidents, announced stops."""
