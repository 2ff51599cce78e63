"""The demonstration's voice: chapters, facts, commands and refusals in the terminal, in one of two languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from hutong.vocabulary.errors import Language


@dataclass(frozen=True)
class Words:
    """One sentence in both languages."""

    zh: str
    en: str


class Screen:
    """Where the story is told. Works without a terminal too: then it prints plain lines."""

    def __init__(self, language: Language, console: Console | None = None) -> None:
        self.language: Language = language
        self.console = console or Console(highlight=False, soft_wrap=False)
        self._chapter = 0

    def words(self, words: Words) -> str:
        return words.zh if self.language == "zh" else words.en

    def title(self, words: Words, below: Words) -> None:
        self.console.print(Panel(Text(self.words(below)), title=f"[bold]{self.words(words)}[/]", border_style="cyan"))

    def chapter(self, words: Words) -> None:
        self._chapter += 1
        self.console.print()
        self.console.print(f"[bold cyan]{self._chapter}  {self.words(words)}[/]")

    def say(self, words: Words) -> None:
        self.console.print(Padding(Text(self.words(words)), (0, 0, 0, 3)))

    def done(self, words: Words, *, began: float | None = None) -> None:
        """A step that went well, with the time it took."""
        took = f"  {perf_counter() - began:.2f} s" if began is not None else ""
        self.console.print(Text.assemble(("   ✓ ", "green"), self.words(words), (took, "dim")))

    def refused(self, words: Words, reason: str) -> None:
        """A refusal, as the person or application concerned sees it."""
        self.console.print(Text.assemble(("   ✗ ", "bold yellow"), self.words(words)))
        self.console.print(Padding(Text(reason.strip(), style="yellow"), (0, 0, 0, 5)))

    def command(self, *words: str) -> None:
        """The command an operator would type for what happens next."""
        self._hanging("$ ", " ".join(_quoted(word) for word in words))

    def code(self, line: str) -> None:
        """A line of Python that an application would run."""
        self._hanging(">>> ", line)

    def _hanging(self, mark: str, line: str) -> None:
        grid = Table.grid()
        grid.add_row(Text("   " + mark, style="dim"), Text(line, style="dim", overflow="fold"))
        self.console.print(grid)

    def table(self, headings: list[Words], rows: list[list[str]]) -> None:
        table = Table(box=None, padding=(0, 2, 0, 3), header_style="dim")
        for heading in headings:
            table.add_column(self.words(heading), overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(table)

    @contextmanager
    def working(self, words: Words, total: int) -> Iterator[Work]:
        """A bar while `total` steps run; it leaves nothing behind."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn())
        with Progress(
            TextColumn("  "), *columns, TimeElapsedColumn(), console=self.console, transient=True
        ) as progress:
            task = progress.add_task(self.words(words), total=total)
            yield Work(lambda: progress.advance(task))


class Work:
    """One bar's steps."""

    def __init__(self, advance: Callable[[], object]) -> None:
        self._advance = advance

    def step(self) -> None:
        self._advance()


def _quoted(word: str) -> str:
    return f'"{word}"' if not word or any(one in word for one in " ()'\"&|;") else word
