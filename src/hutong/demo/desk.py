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
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hutong.vocabulary.errors import Refused


class CommandFailed(Refused):
    """A command of the demonstration failed: hutong {command}: {said}"""

    zh = "演示中的命令失败：hutong {command}：{said}"
    code = "demo_command_failed"
    status = 500
    next_en = "Remove the demonstration's folder and start again; its logs folder tells more."
    next_zh = "请删除演示文件夹后重新开始；logs 文件夹中有更多信息。"


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
            raise CommandFailed(command=" ".join(arguments), said="the desk ended")
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
