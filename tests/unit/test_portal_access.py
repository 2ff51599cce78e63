"""Who finds which room open, and what a closed one says: every room, every role."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from hutong.control.catalogue.models import Resource
from hutong.control.identity.models import Account, Role
from hutong.portal.rooms import ROOMS
from tests.dsp_peer import HEALTH, department, published

pytestmark = pytest.mark.django_db

TABLE = """
room       | officer | head | steward | supervisor | auditor
home       | yes     | yes  | yes     | yes        | yes
catalogue  | yes     | yes  | yes     | yes        | yes
lists      | yes     | yes  | yes     | yes        | yes
demands    | yes     | yes  | yes     | yes        | yes
requests   | yes     | yes  | yes     | yes        | yes
desk       | no      | yes  | no      | no         | no
reviews    | no      | no   | no      | yes        | no
inbox      | yes     | yes  | yes     | yes        | yes
agreements | yes     | yes  | yes     | yes        | yes
oversight  | no      | no   | yes     | yes        | yes
corrections | yes    | yes  | yes     | yes        | yes
stops      | yes     | yes  | yes     | yes        | yes
use        | yes     | yes  | yes     | yes        | yes
exchanges  | yes     | yes  | yes     | yes        | yes
offerings  | yes     | yes  | yes     | yes        | yes
returns    | yes     | yes  | yes     | yes        | yes
disputes   | yes     | yes  | yes     | yes        | yes
reconciliations | no  | no   | yes     | yes        | yes
meters     | no      | no   | yes     | yes        | yes
publish    | yes     | yes  | yes     | no         | no
coverage   | yes     | yes  | yes     | yes        | yes
clocks     | yes     | yes  | yes     | yes        | yes
notices    | yes     | yes  | yes     | yes        | yes
rules      | yes     | yes  | yes     | yes        | yes
calendar   | no      | no   | yes     | yes        | yes
zones      | no      | no   | yes     | yes        | no
standards  | yes     | yes  | yes     | yes        | yes
withheld   | yes     | yes  | yes     | yes        | yes
keys       | yes     | yes  | no      | no         | no
node       | no      | no   | yes     | yes        | yes
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
TRUTH = [(row[0], role, cell == "yes") for row in ROWS[1:] for role, cell in zip(ROWS[0][1:], row[1:], strict=True)]
OVERSEERS = (Role.STEWARD, Role.SUPERVISOR, Role.AUDITOR)


def visitor(role: str) -> Client:
    own = None if role in OVERSEERS else department()
    account = Account.objects.create(username=role, role=role, department=own)
    client = Client(headers={"accept-language": "en"})
    client.force_login(account)
    return client


def test_the_table_has_every_room_and_every_role():
    assert {room for room, _, _ in TRUTH} == {room.name for room in ROOMS}
    assert {role for _, role, _ in TRUTH} == set(Role.values)


@pytest.mark.parametrize(("room", "role", "opens"), TRUTH, ids=[f"{room}-{role}" for room, role, _ in TRUTH])
def test_a_room_opens_to_its_roles_and_tells_the_others_why_not(room: str, role: str, opens: bool):
    answer = visitor(role).get(reverse(room))
    assert answer.status_code == (200 if opens else 403)
    shown = answer.content.decode()
    assert (f'href="{reverse(room)}" aria-current="page"' in shown) == opens, "the rail shows the rooms one has"
    if not opens:
        assert "not_allowed" in shown
        assert "Nothing was changed." in shown


@pytest.mark.parametrize("room", [room.name for room in ROOMS])
def test_nobody_sees_a_room_before_signing_in(room: str):
    address = reverse(room)
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer["Location"] == f"/sign-in/?next={address}"


def test_sign_in_goes_where_one_wanted_to_and_never_to_another_host():
    account = Account(username="wang", role="auditor")
    account.set_password("Lang-genug-1")
    account.save()
    given = {"username": "wang", "password": "Lang-genug-1"}
    for wanted, goes in (("/catalogue/", "/catalogue/"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        answer = Client().post("/sign-in/", given | {"next": wanted})
        assert (answer.status_code, answer["Location"]) == (302, goes)


def test_a_wrong_password_is_said_plainly_and_signs_nobody_in():
    client = Client(headers={"accept-language": "en"})
    answer = client.post("/sign-in/", {"username": "nobody", "password": "wrong"})
    assert "User name or password is wrong." in answer.content.decode()
    assert client.get("/").status_code == 302


def test_what_belongs_to_another_department_is_not_there():
    published()
    other = Account.objects.create(username="other", role="officer", department=department(HEALTH, "卫生健康委员会"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(other)
    for address in (
        reverse("resource_edit", args=[Resource.objects.get().id]),
        reverse("agreement", args=["01890000-0000-7000-8000-000000000000"]),
        reverse("negotiation", args=["01890000-0000-7000-8000-000000000000"]),
        reverse("request", args=["01890000-0000-7000-8000-000000000000"]),
        reverse("exchange", args=["01890000-0000-7000-8000-000000000000", "provider"]),
    ):
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "nothing_here" in answer.content.decode()


def test_every_page_speaks_the_language_one_chose():
    client = visitor("auditor")
    assert '<html lang="en">' in client.get("/").content.decode()
    client.post("/language/", {"language": "zh-hans", "next": "/"})
    chinese = client.get("/").content.decode()
    assert '<html lang="zh-hans">' in chinese
    assert "待办事项" in chinese
