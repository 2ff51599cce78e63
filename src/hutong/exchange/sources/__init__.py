"""Where departments' data lies, and how rows and items are taken out of it.

A CSV file, a folder of them, or a workbook is taken in first (intake.py) and read from its snapshot; all else is
read in place. Every read pushes items and condition into the source, streams, and
keeps to the schema that was probed.
"""

from __future__ import annotations

from hutong.exchange.sources.changed import LastChange, last_change
from hutong.exchange.sources.intake import Intake, sweep, take_in
from hutong.exchange.sources.opening import open_source, probe, stored_schema
from hutong.exchange.sources.shelf import SourceShelf
from hutong.exchange.sources.source import Source
from hutong.exchange.sources.spec import Probe, SourceSpec

__all__ = [
    "Intake",
    "LastChange",
    "Probe",
    "Source",
    "SourceShelf",
    "SourceSpec",
    "last_change",
    "open_source",
    "probe",
    "stored_schema",
    "sweep",
    "take_in",
]
