"""The portal's sentences: found in code and templates, kept in the .po of each language.

`python -m hutong.portal.wording` brings the .po files up to date and names what has no translation yet. English is
the language of the source, so only the others have a catalogue. Needs Babel, which is there wherever Hutong is built.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

PORTAL = Path(__file__).resolve().parent
SOURCES = (PORTAL,)
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "gettext_lazy": None,
    "lazy": None,
    "ngettext": (1, 2),
}
CATALOGUES = PORTAL / "locale"


@dataclass(frozen=True)
class Sentence:
    """A sentence of the portal; `plural` is its plural form, "" without one."""

    text: str
    plural: str
    file: str
    line: int


def sentences() -> Iterator[Sentence]:
    """Every sentence marked for translation, in order of file and line."""
    for folder in SOURCES:
        for file in sorted([*folder.rglob("*.py"), *folder.rglob("*.html")]):
            yield from _of_file(file)


def catalogue_file(locale: str) -> Path:
    return CATALOGUES / locale / "LC_MESSAGES" / "django.po"


def missing(locale: str) -> list[Sentence]:
    """Sentences that the locale's catalogue has not, or only as a guess."""
    from babel.messages.pofile import read_po

    with catalogue_file(locale).open("rb") as stream:
        catalogue = read_po(stream, locale=locale)
    known = {_key(message.id): message for message in catalogue if message.id and not message.fuzzy}
    return [one for one in sentences() if not _translated(known.get(one.text))]


def update(locale: str) -> None:
    """Bring one catalogue up to date: new sentences are added without a translation, unused ones are dropped."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    template = Catalog(project="Hutong", charset="utf-8")
    for one in sentences():
        text = (one.text, one.plural) if one.plural else one.text
        template.add(text, locations=[(one.file, one.line)], flags=["python-brace-format"] if "{" in one.text else [])
    file = catalogue_file(locale)
    with file.open("rb") as stream:
        catalogue = read_po(stream, locale=locale)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    header = file.read_bytes().split(b"\n\n", 1)[0]  # kept as it is: Babel would date it anew each time
    with file.open("wb") as stream:
        stream.write(header + b"\n\n")
        write_po(stream, catalogue, width=120, omit_header=True, include_lineno=False, sort_output=True)


def main() -> int:
    behind = 0
    for folder in sorted(CATALOGUES.iterdir()):
        if not catalogue_file(folder.name).exists():
            continue
        update(folder.name)
        for one in missing(folder.name):
            behind += 1
            sys.stdout.write(f"{folder.name}: {one.file}:{one.line}: {one.text}\n")
    return 1 if behind else 0


def _of_file(file: Path) -> Iterator[Sentence]:
    from babel.messages.extract import extract
    from django.utils.translation.template import templatize

    source = file.read_text(encoding="utf-8")
    name = file.relative_to(PORTAL.parent).as_posix()
    if file.suffix == ".html":
        source = templatize(source, origin=name)
    found = extract("python", BytesIO(source.encode()), KEYWORDS, options={"encoding": "utf-8"})
    for line, text, _comments, _context in found:
        forms = text if isinstance(text, tuple) else (text, "")
        if forms[0]:
            yield Sentence(forms[0], forms[1] or "", name, line)


def _key(text: str | tuple[str, ...] | list[str]) -> str:
    return text if isinstance(text, str) else text[0]


def _translated(message: object) -> bool:
    text = getattr(message, "string", "")
    return all(text) if isinstance(text, (tuple, list)) else bool(text)


if __name__ == "__main__":
    raise SystemExit(main())
