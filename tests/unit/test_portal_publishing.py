"""From a file to a published entry through the pages, each missing field named beside its field."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from hutong.control.catalogue.models import Entry, Resource, Submission
from hutong.control.identity.models import Account
from hutong.exchange.models import Source
from hutong.node.settings import current
from tests.dsp_peer import HEALTH, department
from tests.region import ourselves

pytestmark = pytest.mark.django_db
COMPANIES = "uscc,company,contact\n91350100M000100Y43,甲公司,13800001234\n11430000006122244L,乙公司,13900005678\n"
DESCRIPTION = {
    "title_zh": "企业登记信息",
    "title_en": "Registered companies",
    "summary_zh": "在本省登记的企业",
    "keywords": "企业、法人, 登记",
    "category": "basic",
    "theme": "legal_entity",
    "data_format": "csv",
    "update_cycle": "3",
    "attribute": "unconditional",
    "sharing_modes": ["interface", "batch"],
    "national_level": "general",
    "source_system": "企业登记系统",
}


@pytest.fixture
def head() -> Client:
    ourselves()
    current().snapshots_folder.mkdir(exist_ok=True)
    return signed_in("head")


def signed_in(role: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    office = department() if role in ("officer", "head") else None
    client.force_login(Account.objects.create(username=role, role=role, department=office))
    return client


def shown(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def drafted(client: Client, folder: Path) -> Resource:
    file = folder / "companies.csv"
    file.write_text(COMPANIES, encoding="utf-8")
    given = {"name": "企业登记", "kind": "csv", "location": str(file)}
    assert client.post(reverse("source_new"), given)["Location"] == reverse("publish")
    client.post(reverse("source_draft", args=[Source.objects.get().id]))
    return Resource.objects.get()


def test_a_form_that_takes_a_while_says_so_and_works_without_a_script_too(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    for name, given, forms in (("source_new", [], 1), ("resource_edit", [resource.id], 1), ("publish", [], 2)):
        page = shown(head.get(reverse(name, args=given)))
        assert page.count("data-works") == forms
        assert 'role="status" aria-live="polite" data-words="Working…"' in page
        assert '<script src="/static/portal/working.js" defer></script>' in page
    source = Source.objects.get()
    assert head.post(reverse("source_refresh", args=[source.id]))["Location"] == reverse("publish")
    assert "was read again" in shown(head.get(reverse("publish")))


def filled(resource: Resource, **changes: object) -> dict[str, object]:
    """What the browser sends for a description that is complete."""
    form: dict[str, object] = dict(DESCRIPTION)
    for item in resource.items.all():
        names = {
            "title_zh": item.title_zh or item.name,
            "attribute": "",
            "grade": item.grade,
            "mask": "keep",
            "keep": "on",
        }
        form |= {f"item-{item.position}-{name}": value for name, value in names.items()}
    return form | changes


def test_a_source_that_does_not_answer_is_refused_on_the_form(head: Client):
    given = {"name": "企业登记", "kind": "csv", "location": "/nowhere/companies.csv"}
    answer = head.post(reverse("source_new"), given)
    assert answer.status_code >= 400
    assert "Nothing was changed." in shown(answer)
    assert not Source.objects.exists()


def test_a_draft_is_published_once_everything_is_there(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    address = reverse("resource_edit", args=[resource.id])
    page = shown(head.get(address))
    assert "things are missing before this can be published" in page
    head.post(reverse("resource_sign_off", args=[resource.id]))
    answer = head.post(address, filled(resource, do="submit"))
    assert answer.status_code == 302, shown(answer)
    page = shown(head.get(address))
    assert "take it back to change it" in page
    assert not Entry.objects.exists()
    supervisor = signed_in("supervisor")
    waiting = Submission.objects.get()
    assert "企业登记信息" in shown(supervisor.get(reverse("review", args=[waiting.id])))
    supervisor.post(reverse("review_publish", args=[waiting.id]))
    entry = Entry.objects.get()
    assert entry.state == "published"
    resource.refresh_from_db()
    assert resource.keywords == ["企业", "法人", "登记"]
    assert "As others see it" in shown(head.get(address))
    head.post(reverse("resource_withdraw", args=[resource.id]))
    entry.refresh_from_db()
    assert entry.state == "withdrawn"


def test_each_missing_field_is_named_beside_it_and_linked_from_the_top(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    first = resource.items.first()
    gaps = {
        "theme": "",
        "summary_zh": "",
        "attribute": "conditional",
        f"item-{first.position}-title_zh": "",
        "do": "submit",
    }
    answer = head.post(reverse("resource_edit", args=[resource.id]), filled(resource, **gaps))
    page = shown(answer)
    assert answer.status_code == 422
    for field in ("theme", "summary_zh", "conditions", f"item-{first.position}-title_zh"):
        assert f'<a href="#id_{field}">' in page
        assert f'id="id_{field}_error"' in page
    assert '<a href="#id_permitted_purposes">' in page
    resource.refresh_from_db()
    assert (resource.state, resource.title_zh) == ("draft", "企业登记信息"), "what was typed is kept as a draft"


def test_an_item_without_its_tick_leaves_the_resource(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    last = resource.items.last()
    form = filled(resource, do="save")
    del form[f"item-{last.position}-keep"]
    assert head.post(reverse("resource_edit", args=[resource.id]), form).status_code == 302
    assert last.name not in [item.name for item in resource.items.all()]


def test_an_officer_learns_that_the_head_signs_the_assessment_off(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    officer = signed_in("officer")
    address = reverse("resource_edit", args=[resource.id])
    assert "As data officer you may not sign off the secrecy assessment." in shown(officer.get(address))
    assert officer.post(address, filled(resource, do="submit")).status_code == 422
    assert officer.post(reverse("resource_sign_off", args=[resource.id])).status_code == 403


def test_another_department_neither_sees_nor_changes_it(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    other = Client()
    other.force_login(Account.objects.create(username="x", role="head", department=department(HEALTH, "卫健委")))
    assert other.post(reverse("resource_edit", args=[resource.id]), filled(resource)).status_code == 404
    assert other.post(reverse("source_draft", args=[Source.objects.get().id])).status_code == 403
    assert "企业登记" not in shown(other.get(reverse("publish")))


def test_a_workbook_goes_out_and_comes_in_at_the_page(head: Client, tmp_path: Path):
    resource = drafted(head, tmp_path)
    head.post(reverse("resource_edit", args=[resource.id]), filled(resource, do="save"))
    out = head.get(reverse("catalogue_export"))
    assert out["Content-Disposition"] == "attachment; filename=catalogue.xlsx"
    Resource.objects.all().delete()
    page = shown(head.post(reverse("catalogue_import"), {"workbook": SimpleUploadedFile("c.xlsx", out.content)}))
    assert "new draft 1" in page
    again = Resource.objects.get()
    assert (again.title_zh, again.keywords, again.source) == ("企业登记信息", ["企业", "法人", "登记"], None)
    assert "None is attached yet." in shown(head.get(reverse("resource_edit", args=[again.id])))
    head.post(reverse("resource_attach", args=[again.id]), {"attach-source": Source.objects.get().id})
    assert Resource.objects.get().source is not None


def test_a_file_that_is_no_workbook_is_refused_on_the_page(head: Client):
    answer = head.post(reverse("catalogue_import"), {"workbook": SimpleUploadedFile("c.xlsx", b"no workbook")})
    assert answer.status_code == 422
    assert "it is not a workbook" in shown(answer)
    assert "needs attention" in shown(head.post(reverse("catalogue_import"), {}))
