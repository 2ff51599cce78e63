"""Which form a reader asks for (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import math

from hutong.vocabulary.errors import Refused

# In order of preference where the reader leaves it open.
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
LONGEST = 1_000  # characters of an Accept header


class NoSuchForm(Refused):
    """Rows do not leave in the form asked for; possible are: {possible}."""

    zh = "不支持所请求的格式；可用格式：{possible}。"
    code = "no_such_form"
    status = 406
    next_en = "Name one of them in the Accept header."
    next_zh = "请在 Accept 头中指定其中之一。"


def choose(accept: str) -> str:
    """The form an Accept header prefers; json where it is empty or leaves it open.

    raises   NoSuchForm
    """
    if len(accept) > LONGEST:
        raise NoSuchForm(possible=list(MEDIA_TYPES.values()))
    ranges = [_range(part) for part in accept.split(",") if part.strip()] or [("*/*", 1.0)]
    best, form = 0.0, ""
    for name, media_type in MEDIA_TYPES.items():
        weight = _weight(media_type, ranges)
        if weight > best:
            best, form = weight, name
    if not form:
        raise NoSuchForm(possible=list(MEDIA_TYPES.values()))
    return form


def _range(part: str) -> tuple[str, float]:
    media_range, *parameters = (one.strip().lower() for one in part.split(";"))
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = min(max(float(value), 0.0), 1.0)
            except ValueError:
                weight = 0.0
    return media_range, 0.0 if math.isnan(weight) else weight


def _weight(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most exact range that covers a media type."""
    for wanted in (media_type, media_type.split("/", maxsplit=1)[0] + "/*", "*/*"):
        found = [weight for media_range, weight in ranges if media_range == wanted]
        if found:
            return max(found)
    return 0.0
