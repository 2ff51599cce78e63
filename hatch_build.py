"""Compiles the portal's message catalogues (.po to .mo) when a wheel or an editable install is built.

`python hatch_build.py` does the same alone: the Makefile runs it when a catalogue changes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent


class MessageCatalogues(BuildHookInterface):  # type: ignore[type-arg]
    """Run by hatchling before it collects files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        compile_catalogues(Path(self.root))


def compile_catalogues(root: Path) -> list[Path]:
    """Write a .mo beside each .po; returns what was written.

    raises   SystemExit naming the messages whose placeholders differ between the languages
    """
    written = []
    for source in sorted((root / "src/hutong/portal/locale").glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parent.parent.name, abort_invalid=True)
        wrong = [f"{source.name}:{message.lineno}: {errors[0]}" for message, errors in catalogue.check()]
        if wrong:
            raise SystemExit("error: " + "\n".join(wrong))
        target = source.with_suffix(".mo")
        fresh = target.with_suffix(".mo.new")
        with fresh.open("wb") as file:
            write_mo(file, catalogue)
        fresh.replace(target)
        written.append(target)
    return written


if __name__ == "__main__":
    for path in compile_catalogues(ROOT):
        sys.stdout.write(f"compiled {path.relative_to(ROOT)}\n")
