"""What the chapters of the story share: the screen, the folder, the nodes, a desk at each, and what was learnt."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from hutong.demo.desk import Desk, Said
from hutong.demo.processes import LOOK_AGAIN_S, Nodes
from hutong.demo.region import SEATS, Seat
from hutong.demo.screen import Screen, Words
from hutong.vocabulary.errors import Refused

FACTS = "story.json"  # in the demonstration's folder: it marks the folder as ours, and tells whether the story was told
AT_ONCE = 3  # nodes worked on at the same time: more only wait for the same two cores
ARRIVES_WITHIN_S = 60.0
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Result = TypeVar("Result")


class DidNotArrive(Refused):
    """{what} did not arrive at {where} within {seconds} seconds."""

    zh = "{what} 未在 {seconds} 秒内到达 {where}。"
    code = "demo_did_not_arrive"
    status = 504
    next_en = "See the logs folder of the demonstration, and hutong outbox at the sender."
    next_zh = "请查看演示文件夹中的 logs，以及发送方的 hutong outbox。"


def identifier(said: str) -> str:
    """The first UUID in what a command said.

    raises   DidNotArrive
    """
    found = _ID.search(said)
    if found is None:
        raise DidNotArrive(what="an identifier", what_zh="编号", where=said[:80], seconds=0)
    return found.group()


class Facts:
    """What the story learnt: identifiers, keys, and whether it was told to its end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    def keep(self, **values: Any) -> None:
        with self._lock:
            self.values.update(values)
            draft = self._file.with_suffix(".new")
            draft.write_text(json.dumps(self.values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            draft.replace(self._file)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def told(self) -> bool:
        return bool(self.values.get("told"))


class Stage:
    """The demonstration while it runs. Leaving it closes the desks; the nodes are stopped by whoever started them."""

    def __init__(self, screen: Screen, region: Path, nodes: Nodes, facts: Facts) -> None:
        self.screen = screen
        self.region = region
        self.nodes = nodes
        self.facts = facts
        self._desks: dict[str, Desk] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Stage:
        for seat in SEATS:
            log = self.region / "logs" / f"{seat.folder}-desk.log"
            self._desks[seat.jurisdiction] = self._stack.enter_context(Desk(log, self.screen.language))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def home(self, seat: Seat) -> str:
        return str(seat.home(self.region))

    def run(self, seat: Seat, command: str, *arguments: str, given: str = "") -> Said:
        """`hutong COMMAND HOME ARGUMENTS` at this node; it must succeed. COMMAND may be two words."""
        return self._desks[seat.jurisdiction].run(*command.split(), self.home(seat), *arguments, given=given)

    def ask(self, seat: Seat, command: str, *arguments: str) -> Said:
        """The same, where a refusal is part of the story."""
        return self._desks[seat.jurisdiction].ask(*command.split(), self.home(seat), *arguments)

    def show(self, seat: Seat, command: str, *arguments: str) -> None:
        """Print the command as an operator would type it."""
        self.screen.command("hutong", *command.split(), str(seat.home(Path(self.region.name))), *arguments)

    def everywhere(self, work: Callable[[Seat], Result], seats: Iterable[Seat] = SEATS) -> Iterator[Result]:
        """Do the same at several nodes at once; the results in the seats' order, each as soon as it is there."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(work, seats)

    def until(self, ask: Callable[[], Result], what: Words, where: Seat) -> Result:
        """Ask again until the answer is true.

        raises   DidNotArrive
        """
        deadline = time.monotonic() + ARRIVES_WITHIN_S
        while not (found := ask()):
            if time.monotonic() > deadline:
                raise DidNotArrive(
                    what=what.en,
                    what_zh=what.zh,
                    where=where.name_en,
                    where_zh=where.name_zh,
                    seconds=int(ARRIVES_WITHIN_S),
                )
            time.sleep(LOOK_AGAIN_S)
        return found
