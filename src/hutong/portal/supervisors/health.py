"""The health of each published resource as a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from hutong.control.catalogue import health
from hutong.control.identity.models import Account
from hutong.portal.components import words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Badge, Tone
from hutong.portal.components.peers import department_name
from hutong.portal.supervisors.coverage import ROWS, scope_of, where

TONES: dict[str, Tone] = {"well": "good", "stale": "wait"}


@dataclass(frozen=True)
class HealthRow:
    title: str
    url: str
    department: str
    state: Badge
    detail: str
    answered_at: datetime | None
    served_at: datetime | None
    p95: str


@dataclass(frozen=True, kw_only=True)
class HealthPage(Page):
    rows: tuple[HealthRow, ...]
    next_url: str


def health_page(account: Account, after: str) -> HealthPage:
    held = list(health.published(scope_of(account)).filter(id__gt=after)[: ROWS + 1])
    return HealthPage(
        shell=shell_for(account, "coverage"),
        rows=tuple(_row(account, one) for one in health.of(held[:ROWS])),
        next_url=f"?{urlencode({'after': held[ROWS - 1].id})}" if len(held) > ROWS else "",
    )


def _row(account: Account, found: health.Health) -> HealthRow:
    one = found.resource
    return HealthRow(
        title=words.of_language(one.title_zh, one.title_en),
        url=where(account, one),
        department=department_name(one.department),
        state=Badge(words.code_name(health.STATES, found.state), TONES.get(found.state, "bad")),
        detail=", ".join(found.missing),
        answered_at=found.answered_at,
        served_at=found.served_at,
        p95="–" if found.p95_ms is None else _("{number} ms").format(number=found.p95_ms),
    )
