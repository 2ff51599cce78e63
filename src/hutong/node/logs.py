"""The log as JSON lines: `log_format = "json"`. A line says what happened and where, never a row's value."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import orjson

from hutong.node import metrics
from hutong.vocabulary.moments import rfc3339


class JsonLines(logging.Formatter):
    """One JSON object on a line: at, level, logger, message, process; error and where it arose, if one is told.

    An error's own text is left out: drivers and engines put values into theirs. Its type and the lines it passed
    through are enough to find it.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "logger": record.name,
            "message": _said(record),
            "process": record.process,
        }
        if record.exc_info:
            line |= _error(record.exc_info[1])
        return orjson.dumps(line).decode()


class Lines(logging.Formatter):
    """The same for people: one line, and an error's type and path without its text."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _said(record)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        error = ei[1]
        return "\n  ".join([type(error).__name__, *_where(error)])


def _said(record: logging.LogRecord) -> str:
    """The message; of Django's about a request only the status and the door, for an address may hold anything."""
    request = getattr(record, "request", None)
    if request is None:
        return record.getMessage()
    return f"answered {getattr(record, 'status_code', '')} at the door {metrics.door(getattr(request, 'path', ''))}"


def _error(error: BaseException | None) -> dict[str, object]:
    """{} for no error."""
    if error is None:
        return {}
    told: dict[str, object] = {"error": type(error).__name__, "where": _where(error)}
    if error.__cause__ is not None:
        told["cause"] = type(error.__cause__).__name__
    return told


def _where(error: BaseException) -> list[str]:
    """The lines of code an error passed through, the outermost first."""
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{code.co_filename}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return places
