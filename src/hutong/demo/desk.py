"""A desk at a node: one process that runs `hutong` commands one after another, as an operator types them.

A new process for each command would spend most of the demonstration starting Python. Nothing else differs: the
commands, their checks, their answers and exit codes are the same. `python -m hutong.demo.desk` is the process;
Desk is its other end.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hutong.vocabulary.errors import Refused

BROKEN = 70  # the exit code of a command that ended in an error nobody foresaw (EX_SOFTWARE)


class CommandFailed(Refused):
    """A command of the demonstration failed: hutong {command}: {said}"""

    zh = "演示中的命令失败：hutong {command}：{said}"
    code = "demo_command_failed"
    status = 500
    changed_en = "The nodes keep what was done before."
    changed_zh = "此前的操作已保留在各节点中。"
    next_en = "Start again: an unfinished demonstration begins anew. Its logs folder tells more."
    next_zh = "请重新运行：未讲完的演示会从头开始。logs 文件夹中有更多信息。"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    exit_code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """The other end of one desk process."""

    def __init__(self, log: Path, language: str) -> None:
        environment = {**os.environ, "LANG": "zh_CN.UTF-8" if language == "zh" else "C.UTF-8", "LC_ALL": ""}
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hutong.demo.desk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env=environment,
        )

    def ask(self, *arguments: str, given: str = "") -> Said:
        """Run one command; its answer, whatever the exit code. `given` is its standard input."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("the desk has no pipes")
        stdin.write(json.dumps({"arguments": arguments, "given": given}) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise CommandFailed(command=" ".join(arguments), said="the desk ended", said_zh="命令台已退出")
        return Said(**json.loads(line))

    def run(self, *arguments: str, given: str = "") -> Said:
        """Run one command that must succeed.

        raises   CommandFailed with what it said
        """
        said = self.ask(*arguments, given=given)
        if said.exit_code:
            raise CommandFailed(command=" ".join(arguments), said=said.err.strip() or said.out.strip())
        return said

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Desk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _perform(arguments: list[str], given: str) -> Said:
    from hutong.node.cli import main

    out, err = io.StringIO(), io.StringIO()
    kept = sys.argv, sys.stdin
    sys.argv, sys.stdin = ["hutong", *arguments], io.StringIO(given)
    exit_code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        exit_code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    # The edge: a command that breaks is told as one that failed, and its trace goes to the desk's log.
    except Exception as broken:
        traceback.print_exc(file=sys.__stderr__)
        exit_code = BROKEN
        err.write(f"{type(broken).__name__}; the desk's log tells more\n")
    finally:
        sys.argv, sys.stdin = kept
    return Said(exit_code, out.getvalue(), err.getvalue())


def serve() -> None:
    """Answer commands from standard input, one JSON line each, until it ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in sys.stdin:
        asked = json.loads(line)
        said = _perform(list(asked["arguments"]), str(asked["given"]))
        answers.write(json.dumps({"exit_code": said.exit_code, "out": said.out, "err": said.err}) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
