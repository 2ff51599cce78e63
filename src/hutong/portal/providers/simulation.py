"""The simulation as a page: each kind of requester against each item, and sample rows of one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements.consent import Choice
from hutong.control.agreements.queries import NegotiationRow
from hutong.control.catalogue.models import Resource
from hutong.control.identity.models import Account
from hutong.control.replies import simulation
from hutong.control.replies.simulation import ItemSeen, Simulation, Standing
from hutong.control.replies.verdict import KINDS, Kind
from hutong.exchange.grants.tracing import Tracing
from hutong.portal.components import words
from hutong.portal.components.page import Page, Refusal, refusal_of, shell_for
from hutong.portal.components.parts import Badge
from hutong.portal.providers import reasons
from hutong.portal.providers.forms import AgreeForm
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of


@dataclass(frozen=True)
class KindShown:
    kind: str
    name: str
    answer: Badge
    why: str
    is_applicant: bool
    sampled: bool


@dataclass(frozen=True)
class Cell:
    word: str
    leaves: bool
    kind: str  # whose column it is


@dataclass(frozen=True)
class ItemRow:
    name: str
    title: str
    grade: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class SimulationPage(Page):
    title: str
    room: str
    back_url: str
    back: str
    again_url: str
    kept: tuple[tuple[str, str], ...]  # the choices of the form, sent again with the next sample
    kinds: tuple[KindShown, ...]
    items: tuple[ItemRow, ...]
    sampled_as: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    trouble: Refusal | None


def simulation_of_request(
    account: Account, found: NegotiationRow, form: AgreeForm, sent: Mapping[str, str]
) -> SimulationPage:
    decided = form.decided() if form.is_bound else {}
    items, masks = decided.get("items"), decided.get("masks")
    tracing = decided.get("tracing")
    choice = Choice(tuple(items) if items else None, masks, tracing=Tracing.from_document(tracing) if tracing else None)
    bare = uuid_of(found.pid)

    def look(kind: Kind | None) -> Simulation:
        return simulation.of_request(account, found.pid, choice=choice, sample_as=kind)

    return _page(
        account,
        *_looked(look, sent),
        room="inbox",
        back_url=reverse("negotiation", args=[bare]),
        again_url=reverse("negotiation_simulate", args=[bare]),
        kept=tuple((name, str(value)) for name, value in sent.items() if name.startswith("agree-")),
    )


def simulation_of_resource(account: Account, resource: Resource, sent: Mapping[str, str]) -> SimulationPage:
    """raises   what the simulation raises without a sample"""

    def look(kind: Kind | None) -> Simulation:
        return simulation.of_resource(account, resource.id, sample_as=kind)

    return _page(
        account,
        *_looked(look, sent),
        room="publish",
        back_url=reverse("resource_edit", args=[resource.id]),
        again_url=reverse("resource_simulate", args=[resource.id]),
        kept=(),
    )


def _looked(look: Callable[[Kind | None], Simulation], sent: Mapping[str, str]) -> tuple[Simulation, Refusal | None]:
    """The simulation with the sample asked for; without it, and why, where the source gave none."""
    wanted = sent.get("sample", "")
    kind: Kind | None = next((one for one in KINDS if one == wanted), None)
    if kind is None:
        return look(None), None
    try:
        return look(kind), None
    except Refused as refused:
        return look(None), refusal_of(refused)


def _page(
    account: Account,
    found: Simulation,
    trouble: Refusal | None,
    *,
    room: str,
    back_url: str,
    again_url: str,
    kept: tuple[tuple[str, str], ...],
) -> SimulationPage:
    title = words.of_language(found.title_zh, found.title_en) or _("A new resource")
    names = {one.name: _title(one) for standing in found.standings for one in standing.items}
    return SimulationPage(
        shell=shell_for(account, room),
        title=title,
        room=room,
        back_url=back_url,
        back=_("Publish") if room == "publish" else _("Inbox"),
        again_url=again_url,
        kept=kept,
        kinds=tuple(_kind(one, found) for one in found.standings),
        items=_items(found.standings),
        sampled_as=words.word(reasons.KINDS, found.sampled_as) if found.sampled_as else "",
        headings=tuple(names[name] for name in found.names),
        rows=tuple(tuple(_value(row.get(name)) for name in found.names) for row in found.rows),
        trouble=trouble,
    )


def _kind(one: Standing, found: Simulation) -> KindShown:
    return KindShown(
        kind=one.kind,
        name=words.word(reasons.KINDS, one.kind),
        answer=reasons.answer(one.verdict),
        why=reasons.of_verdict(one.verdict),
        is_applicant=one.is_applicant,
        sampled=found.sampled_as == one.kind,
    )


def _items(standings: tuple[Standing, ...]) -> tuple[ItemRow, ...]:
    rows = []
    for seen in zip(*(one.items for one in standings), strict=True):
        cells = tuple(
            Cell(
                words.mask(one.mask) if one.mask is not None else _("does not leave"),
                one.mask is not None,
                words.word(reasons.KINDS, standing.kind),
            )
            for one, standing in zip(seen, standings, strict=True)
        )
        rows.append(ItemRow(seen[0].name, _title(seen[0]), seen[0].grade, cells))
    return tuple(rows)


def _title(item: ItemSeen) -> str:
    return words.of_language(item.title_zh, item.title_en) or item.name


def _value(value: object) -> str:
    return "" if value is None else str(value)
