"""What was issued of one of our resources, version by version, and what differs between two of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.catalogue import queries
from hutong.control.catalogue.models import Version
from hutong.control.catalogue.versions import differences
from hutong.control.identity.models import Account
from hutong.portal.components import words
from hutong.portal.components.differences import Differing, rows
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Badge
from hutong.vocabulary.ids import is_id

MOST_VERSIONS = 200  # shown; the command line lists all


@dataclass(frozen=True)
class VersionRow:
    number: int
    state: Badge
    issued_at: datetime
    issued_by: str
    submitted_by: str
    digest: str
    keyid: str
    signature: str
    compare_url: str  # with the one before; empty for the first


@dataclass(frozen=True, kw_only=True)
class VersionsPage(Page):
    title: str
    entry_url: str
    versions: tuple[VersionRow, ...]
    before: int
    after: int
    differences: tuple[Differing, ...]


def versions_page(account: Account, resource_id: str, before: str | None, after: str | None) -> VersionsPage:
    """raises   NotFound"""
    resource = queries.resource(resource_id)
    address = reverse("resource_versions", args=[resource.id])
    issued = list(queries.versions(resource).select_related("submission").defer("content", "dataset")[:MOST_VERSIONS])
    newest = issued[0].number if issued else 0
    second = _number(after, newest)
    first = _number(before, second - 1)
    contents = [queries.version(resource, number).content if number > 0 else None for number in (first, second)]
    found = differences(contents[0], contents[1]) if contents[1] is not None and contents[0] is not None else []
    return VersionsPage(
        shell=shell_for(account, "catalogue"),
        title=words.of_language(resource.title_zh, resource.title_en) or _("A new resource"),
        entry_url=reverse("resource", args=[resource.id]) if resource.version else "",
        versions=tuple(_row(one, address) for one in issued),
        before=first,
        after=second,
        differences=rows(found),
    )


def versions_url(resource_id: str) -> str:
    """Where the versions of a resource of this node are shown."""
    return reverse("resource_versions", args=[resource_id]) if is_id(resource_id) else ""


def _number(given: str | None, otherwise: int) -> int:
    return int(given) if given and given.isdecimal() and len(given) < 9 else max(0, otherwise)


def _row(one: Version, address: str) -> VersionRow:
    return VersionRow(
        number=one.number,
        state=words.state(words.RESOURCE_STATES, one.state),
        issued_at=one.issued_at,
        issued_by=one.issued_by,
        submitted_by=one.submission.submitted_by if one.submission else "",
        digest=one.digest,
        keyid=one.keyid,
        signature=one.signature,
        compare_url=f"{address}?before={one.number - 1}&after={one.number}#differs" if one.number > 1 else "",
    )
