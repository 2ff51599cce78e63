"""Names for the columns of a file: unique also where case does not count, as in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from hutong.exchange.sources.spec import BadHeader

MAX_COLUMNS = 2_000
MAX_NAME = 120  # characters, as in the catalogue


def names_of(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names, and a note for each that was changed: a repeated x becomes x_2.

    raises   BadHeader for an empty, overlong or unprintable name, and for too many columns
    """
    if len(header) > MAX_COLUMNS:
        raise BadHeader(
            column=MAX_COLUMNS + 1,
            reason=f"at most {MAX_COLUMNS} columns are read",
            reason_zh=f"最多读取 {MAX_COLUMNS} 列",
        )
    given = [_checked(name.strip(), position) for position, name in enumerate(header, 1)]
    taken = {name.casefold() for name in given}
    seen: set[str] = set()
    names: list[str] = []
    notes: list[str] = []
    for position, name in enumerate(given, 1):
        chosen, number = name, 1
        while chosen.casefold() in seen or (number > 1 and chosen.casefold() in taken):
            number += 1
            chosen = f"{name}_{number}"
        if chosen != name:
            notes.append(f"column {position} repeats the name {name} and is called {chosen}")
        seen.add(chosen.casefold())
        names.append(chosen)
    return names, notes


def _checked(name: str, position: int) -> str:
    if not name:
        raise BadHeader(column=position, reason="it is empty", reason_zh="表头为空")
    if len(name) > MAX_NAME:
        raise BadHeader(
            column=position, reason=f"it is longer than {MAX_NAME} characters", reason_zh=f"超过 {MAX_NAME} 个字符"
        )
    if not name.isprintable():
        raise BadHeader(
            column=position, reason="it holds a character that cannot be shown", reason_zh="含有无法显示的字符"
        )
    return name
