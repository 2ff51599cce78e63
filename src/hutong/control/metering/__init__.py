"""Meters: what was served and used, per partner and day, signed, exchanged and compared."""
