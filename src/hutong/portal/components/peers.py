"""Names of nodes and departments as the page's language has them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hutong.control.organisations.models import Department
from hutong.node import outside
from hutong.node import settings as node_settings
from hutong.node.models import Member
from hutong.portal.components import words

_PARTICIPANT = "urn:hutong:node:"


def member_name(one: Member) -> str:
    return words.of_language(one.name_zh, one.name_en) or one.jurisdiction


class Names:
    """The names of the directory's members, read once for a page."""

    def __init__(self) -> None:
        self._members = {one.jurisdiction: member_name(one) for one in Member.objects.all()}
        self._others = {one.participant: one.name for one in outside.let_in_peers()}
        own = node_settings.current()
        self._members.setdefault(own.jurisdiction, words.of_language(own.name_zh, own.name_en) or own.jurisdiction)

    def __call__(self, peer: str) -> str:
        """The member's name; a connector outside the directory by the name the operator gave it, or its id."""
        if outside.is_outside(peer):
            participant = outside.participant_of(peer)
            return _("{name}, outside the directory").format(name=self._others.get(participant) or participant)
        jurisdiction = peer.removeprefix(_PARTICIPANT)
        return self._members.get(jurisdiction, jurisdiction)


def department_name(department: Department | None) -> str:
    return words.of_language(department.name_zh, department.name_en) if department else ""


def text_of(value: object) -> str:
    """A text of a signed entry that may come in several languages: str, {"zh":..,"en":..} or
    [{"@language":..,"@value":..}]."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        texts = {str(one.get("@language", "")): str(one.get("@value", "")) for one in value if isinstance(one, dict)}
        plain = next((one for one in value if isinstance(one, str)), "")
        zh = next((text for tag, text in texts.items() if tag.startswith("zh")), plain)
        return words.of_language(zh, texts.get("en", ""))
    if isinstance(value, dict):
        return words.of_language(str(value.get("zh", "")), str(value.get("en", "")))
    return ""
