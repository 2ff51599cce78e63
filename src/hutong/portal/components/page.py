"""The page around a room, and how a view shows one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.identity.models import Account
from hutong.node import refusals
from hutong.node import settings as node_settings
from hutong.portal import rooms
from hutong.portal.components import words
from hutong.vocabulary.errors import NotAllowed, Refused

log = logging.getLogger(__name__)
P = ParamSpec("P")


@dataclass(frozen=True)
class RoomLink:
    label: str
    url: str
    icon: str
    count: int
    here: bool


@dataclass(frozen=True)
class RoomGroup:
    label: str
    rooms: tuple[RoomLink, ...]


@dataclass(frozen=True)
class Shell:
    """What surrounds every room: the node, the person, the rooms this role has."""

    node: str
    room: str = ""
    person: str = ""
    role: str = ""
    department: str = ""
    groups: tuple[RoomGroup, ...] = ()


@dataclass(frozen=True)
class Refusal:
    """A refusal in the page's language."""

    what: str
    changed: str
    next_step: str
    rule: str
    code: str
    status: int


@dataclass(frozen=True, kw_only=True)
class Page:
    shell: Shell
    refusal: Refusal | None = None


@dataclass(frozen=True, kw_only=True)
class RefusedPage(Page):
    pass


def shell_for_door() -> Shell:
    """The shell of pages before sign-in."""
    return Shell(node=node_name())


def shell_for(account: Account, here: str) -> Shell:
    department = account.department
    opened = [room for room in rooms.ROOMS if room.open_to(account)]
    groups = tuple(
        RoomGroup(str(label), links)
        for group, label in rooms.GROUPS.items()
        if (links := tuple(_link(room, account, here) for room in opened if room.group == group))
    )
    return Shell(
        node=node_name(),
        room=next((str(room.label) for room in opened if room.name == here), _("Rooms")),
        person=account.display_name or account.username,
        role=words.word(words.ROLES, account.role),
        department=words.of_language(department.name_zh, department.name_en) if department else "",
        groups=groups,
    )


def _link(room: rooms.Room, account: Account, here: str) -> RoomLink:
    count = room.waiting(account) if room.waiting else 0
    return RoomLink(str(room.label), reverse(room.name), room.icon, count, room.name == here)


def node_name() -> str:
    node = node_settings.current()
    return words.of_language(node.name_zh, node.name_en) or node.jurisdiction


def refusal_of(refused: Refused) -> Refusal:
    """The refusal as this page says it. It counts as said."""
    refusals.said(refused)
    language = words.language()
    return Refusal(
        what=refused.say(language),
        changed=refused.changed(language),
        next_step=refused.next_step(language),
        rule=refused.rule or "",
        code=refused.code,
        status=refused.status,
    )


def show(request: HttpRequest, template: str, page: Page) -> HttpResponse:
    """The page, with the status of its refusal where it has one."""
    return render(request, template, {"page": page}, status=page.refusal.status if page.refusal else 200)


def fragment(request: HttpRequest, whole: str, part: str) -> str:
    """The part's template where htmx asks for a part of the page, otherwise the whole page's."""
    htmx = getattr(request, "htmx", None)
    return part if htmx and not htmx.boosted and not htmx.history_restore_request else whole


View = Callable[Concatenate[HttpRequest, P], HttpResponse]


Guarded = Callable[Concatenate[HttpRequest, Account, P], HttpResponse]


def room(name: str) -> Callable[[Guarded[P]], View[P]]:
    """Open a view to the roles of a room: sign-in first, then the role; a refusal becomes a page.

    The view receives the account after the request.
    """
    door = rooms.named(name)

    def decorate(view: Guarded[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            account = request.user
            if not isinstance(account, Account) or not account.is_authenticated:
                return redirect_to_login(request.get_full_path())
            try:
                if not door.open_to(account):
                    raise NotAllowed(role=words.word(words.ROLES, account.role), action=str(door.label))
                return view(request, account, *args, **kwargs)
            except Refused as refused:
                log.info("page refused: %s", refused.code)
                page = RefusedPage(shell=shell_for(account, name), refusal=refusal_of(refused))
                return show(request, "portal/refused.html", page)

        return guarded

    return decorate
