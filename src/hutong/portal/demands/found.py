"""What could meet a wish, as people read it: the best first, each with its reasons."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.demands import candidates
from hutong.control.demands.ranking import Candidate, Wish
from hutong.portal.components import words
from hutong.portal.components.parts import Badge
from hutong.portal.components.peers import Names
from hutong.portal.demands.forms import DemandForm


@dataclass(frozen=True)
class Found:
    title: str
    url: str
    kind: Badge
    who: str
    score: int
    helps: tuple[str, ...]
    hinders: tuple[str, ...]


@dataclass(frozen=True)
class Looked:
    """What a wish as typed so far would find: candidates, and lead sources that exist already (D809-19)."""

    asked: bool
    candidates: tuple[Found, ...] = ()
    leads: tuple[Found, ...] = ()


@dataclass(frozen=True)
class LookedPage:
    looked: Looked


def found(some: tuple[Candidate, ...]) -> tuple[Found, ...]:
    names = Names()
    return tuple(_found(one, names) for one in some)


def looked_for(form: DemandForm) -> Looked:
    data = form.data if form.is_bound else QueryDict()
    text = {name: str(data.get(name) or "")[:200] for name in ("title", "area_code", "update_cycle")}
    wish = candidates.wish(
        text["title"], form.items(), area_code=_area(text["area_code"]), update_cycle=text["update_cycle"]
    )
    if not wish.terms and not wish.elements:
        return Looked(asked=False)
    return Looked(True, found(candidates.candidates(wish, most=6)), found(_leads(form, wish)))


def _leads(form: DemandForm, wish: Wish) -> tuple[Candidate, ...]:
    return candidates.lead_sources([one["element"] for one in form.items()], wish.area_code)


def _area(text: str) -> str:
    return text if text.isdigit() and len(text) in (6, 12) else ""


def _found(one: Candidate, names: Names) -> Found:
    known, spoken = one.known, words.language()
    department = words.of_language(known.department_name, known.department_name_en)
    published = known.kind == "resource"
    return Found(
        title=words.of_language(known.title_zh, known.title_en),
        url=reverse("resource", args=[known.id]) if published else "",
        kind=Badge(_("published"), "good") if published else Badge(_("owed, not published"), "wait"),
        who=f"{department} · {names(known.origin)}",
        score=one.score,
        helps=tuple(reason.say(spoken) for reason in one.reasons if reason.helps),
        hinders=tuple(reason.say(spoken) for reason in one.reasons if not reason.helps),
    )
