"""The coverage page, its findings and file, the register of systems, and the review at the portal."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from hutong.control.catalogue import actions, freshness, systems
from hutong.control.catalogue.models import InformationSystem, Resource, Submission
from tests.publication import supervisor

pytestmark = pytest.mark.django_db


def at_the_portal(account, language="en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(account)
    return client


def shown(client: Client, name: str, *given: str, **query: str) -> str:
    answer = client.get(reverse(name, args=given), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_figures_open_to_their_findings_and_a_department_sees_its_own(people, published):
    systems.register_system(people["officer"], code="S-9", name="旧系统")
    overseer, officer, other = (at_the_portal(one) for one in (supervisor(), people["officer"], people["other"]))
    page = shown(overseer, "coverage")
    assert reverse("coverage_findings", args=["no_catalogue"]) in page
    assert "旧系统" in shown(overseer, "coverage_findings", "no_catalogue")
    assert "Registered companies" in shown(overseer, "coverage_findings", "not_linked")
    assert "Registered companies" in shown(officer, "coverage_findings", "not_linked")
    assert "Registered companies" not in shown(other, "coverage_findings", "not_linked")
    assert "旧系统" not in shown(other, "systems")
    assert officer.get(reverse("coverage_findings", args=["nothing"])).status_code == 404


def test_the_file_has_a_line_for_each_system_and_no_formula(people, published):
    systems.register_system(people["officer"], code="=1+1", name="@cmd")
    lines = shown(at_the_portal(supervisor()), "coverage_csv").splitlines()
    assert lines[0].startswith("\ufeffDepartment,")
    assert any("'=1+1,'@cmd,0,0,0" in line for line in lines)
    assert any("Not linked to a system,1,1,1,0,0,0," in line for line in lines)


def test_a_system_is_registered_and_retired_at_the_page(people, published):
    officer = at_the_portal(people["officer"])
    officer.post(reverse("systems"), {"code": "S-1", "name": "企业登记系统"})
    made = InformationSystem.objects.get()
    assert made.resources.count() == 1
    assert "in the catalogue" in shown(officer, "systems")
    again = officer.post(reverse("systems"), {"code": "S-1", "name": "x"})
    assert again.status_code == 409
    officer.post(reverse("system_retire", args=[made.id]))
    assert InformationSystem.objects.get().state == "retired"


def test_stale_is_said_on_the_resource_the_catalogue_the_own_list_and_the_report(people, published, csv_file):
    officer = at_the_portal(people["officer"])
    assert "</svg>stale" not in shown(officer, "resource", published.id)
    written = datetime(2026, 1, 2, 4, tzinfo=UTC).timestamp()
    os.utime(csv_file, (written, written))
    freshness.look(Resource.objects.get().source_id)
    for name, given in (("resource", [published.id]), ("catalogue", []), ("publish", [])):
        assert "</svg>stale" in shown(officer, name, *given), name
    assert "3 Jan 2026" in shown(officer, "coverage_findings", "stale")
    assert "逾期未更新" in shown(at_the_portal(people["officer"], "zh-hans"), "resource", published.id)


def test_a_return_at_the_page_needs_a_point_and_shows_them_to_the_department(people, described):
    submission = actions.submit(people["head"], described.id)
    overseer = at_the_portal(supervisor())
    address = reverse("review_return", args=[submission.id])
    assert overseer.post(address, {"return-reason": "请修改"}).status_code == 422
    assert "needs attention" in overseer.post(address, {"return-point-theme": "x"}).content.decode()
    said = {"return-reason": "请修改", "return-point-theme": "应为市场监管", "return-point-": "整体复核"}
    assert overseer.post(address, said).status_code == 302
    assert [one["field"] for one in Submission.objects.get().points] == ["theme", ""]
    page = shown(at_the_portal(people["officer"]), "resource_edit", described.id)
    for text in ("Sent back by the supervisor", "请修改", "应为市场监管", "整体复核"):
        assert text in page
    assert "Registered companies" in shown(overseer, "reviews", show="decided")


def test_versions_and_what_differs_are_shown(people, published):
    from tests.publication import publish

    actions.describe(people["officer"], published.id, {"title_zh": "企业名录", "attribute": "unconditional",
                                                       "conditions": "", "permitted_purposes": []})  # fmt: skip
    submission = actions.submit(people["head"], published.id)
    page = shown(at_the_portal(supervisor()), "review", submission.id)
    assert "What differs from version 1" in page
    actions.take_back(people["head"], published.id)
    publish(people["head"], published.id)
    page = shown(at_the_portal(people["auditor"]), "resource_versions", published.id)
    assert "From version 1 to version 2" in page
    assert "企业登记信息" in page
    assert "企业名录" in page
    compared = shown(at_the_portal(people["auditor"]), "resource_versions", published.id, before="2", after="2")
    assert "The description is the same." in compared
