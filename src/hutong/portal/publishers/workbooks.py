"""The catalogue in and out as the workbook of the national template."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.catalogue.template.actions import STATES, Import, Taken, export_workbook, import_workbook
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal.components import access, scope, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.parts import Badge, May
from hutong.portal.publishers.forms import WorkbookForm
from hutong.vocabulary.errors import Refused


@dataclass(frozen=True)
class TakenRow:
    row: int
    title: str
    url: str
    state: Badge
    reason: str


@dataclass(frozen=True, kw_only=True)
class ImportPage(Page):
    form: WorkbookForm
    may_import: May
    summary: str  # empty before an import
    ignored: tuple[str, ...]
    rows: tuple[TakenRow, ...]


def import_page(
    account: Account, form: WorkbookForm, made: Import | None = None, refusal: Refusal | None = None
) -> ImportPage:
    counted = [(words.state(words.IMPORT_STATES, one).word, made.count(one)) for one in STATES] if made else []
    taken = made.taken if made else ()
    return ImportPage(
        shell=shell_for(account, "publish"),
        refusal=refusal,
        form=form,
        may_import=access.may(account, Action.DESCRIBE_RESOURCE),
        summary=_(", ").join(f"{word} {words.number(number)}" for word, number in counted),
        ignored=made.ignored if made else (),
        rows=tuple(_row(one) for one in sorted(taken, key=lambda one: one.state != "refused")),
    )


def take(account: Account, given: UploadedFile[Any]) -> Import:
    """raises   NotAllowed, and what import_workbook refuses"""
    with tempfile.TemporaryDirectory(prefix="hutong-") as folder:
        path = Path(folder) / "catalogue.xlsx"
        with path.open("wb") as file:
            for chunk in given.chunks():
                file.write(chunk)
        return import_workbook(account, path)


def exported(account: Account) -> bytes:
    """The workbook of what the account may see: its department's resources, or all."""
    own = None if scope.sees_all(account) else account.department_id
    with tempfile.TemporaryDirectory(prefix="hutong-") as folder:
        path = Path(folder) / "catalogue.xlsx"
        export_workbook(path, own)
        return path.read_bytes()


def _row(one: Taken) -> TakenRow:
    refusal: Refused | None = one.refusal
    return TakenRow(
        row=one.row,
        title=one.title,
        url=reverse("resource_edit", args=[one.resource_id]) if one.resource_id else "",
        state=words.state(words.IMPORT_STATES, one.state),
        reason=refusal.say(words.language()) if refusal else "",
    )
