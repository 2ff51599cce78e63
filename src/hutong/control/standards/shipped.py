"""The small public tables and the elements that come with the product, as proposals."""

from __future__ import annotations

import csv
import io
from importlib.resources import files

from hutong.control.standards.files import from_csv
from hutong.control.standards.proposals import Proposal


def shipped() -> list[Proposal]:
    """Code tables first, then the elements that use them."""
    tables = [
        proposal
        for row in csv.DictReader(io.StringIO(_text("tables.csv")))
        for proposal in from_csv(
            _text(row["name"] + ".csv"),
            name=row["name"],
            title_zh=row["zh"],
            title_en=row["en"],
            standard=row["standard"],
        )
    ]
    return tables + shipped_elements()


def shipped_elements() -> list[Proposal]:
    """The elements alone."""
    return from_csv(_text("elements.csv"))


def _text(name: str) -> str:
    return (files("hutong.control.standards") / "data" / name).read_text(encoding="utf-8")
