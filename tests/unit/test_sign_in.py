"""Signing in fails so many times and no more: counted by name and by address, told alike to everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, RequestFactory

from hutong.control.identity import sign_in
from hutong.control.identity.actions import create_account, reset_password
from hutong.control.identity.models import Account, SignInCount
from hutong.control.identity.rules import Operator
from hutong.control.identity.sign_in import FAILURES_OF_ADDRESS, FAILURES_OF_NAME, WINDOW, TooManySignIns
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.portal.origin import address_of
from hutong.vocabulary.errors import NotAllowed

NOW = datetime(2031, 3, 4, 9, 0, tzinfo=UTC)
PASSWORD = "Lang-genug-1"


def fail(username: str, times: int, *, address: str = "10.0.0.9", now: datetime = NOW) -> None:
    for _ in range(times):
        sign_in.failed(sign_in.begin(username, address, now), now)


@pytest.mark.django_db
def test_five_failures_of_a_name_lock_it_for_the_rest_of_the_window_and_no_longer():
    fail("wang", FAILURES_OF_NAME)
    with pytest.raises(TooManySignIns) as refused:
        sign_in.begin(" ｗａｎｇ", "10.9.9.9", NOW + timedelta(minutes=5))
    assert refused.value.status == 429
    assert "another 10 min" in refused.value.say("en")
    assert "10 分钟" in refused.value.say("zh")
    assert sign_in.begin("li", "10.0.0.9", NOW).by_name == 1, "another name is not locked"
    assert sign_in.begin("wang", "10.0.0.9", NOW + WINDOW).by_name == 1


@pytest.mark.django_db
def test_twenty_failures_from_an_address_lock_it_whichever_names_were_tried():
    for place in range(FAILURES_OF_ADDRESS):
        fail(f"name-{place}", 1, address=f"2001:db8::{place + 1}")
    with pytest.raises(TooManySignIns):
        sign_in.begin("wang", "2001:db8::ffff", NOW)
    assert sign_in.begin("wang", "2001:db8:0:1::1", NOW).by_address == 1
    assert sign_in.begin("li", "", NOW).by_address == 0, "an unknown address is nobody's"


@pytest.mark.django_db
def test_a_success_clears_the_name_and_takes_only_itself_from_the_address():
    fail("wang", FAILURES_OF_NAME - 1)
    sign_in.succeeded(sign_in.begin("wang", "10.0.0.9", NOW))
    again = sign_in.begin("wang", "10.0.0.9", NOW)
    assert (again.by_name, again.by_address) == (1, FAILURES_OF_NAME)


@pytest.mark.django_db
def test_each_lock_out_is_recorded_once_without_what_was_typed():
    Account.objects.create(username="wang", role="auditor")
    fail("wang", FAILURES_OF_NAME)
    fail("my-Secret-password", FAILURES_OF_NAME)
    with pytest.raises(TooManySignIns):
        sign_in.begin("wang", "10.0.0.9", NOW)
    fail("li", FAILURES_OF_NAME - 1)
    for place in range(FAILURES_OF_ADDRESS - 3 * FAILURES_OF_NAME + 1):
        fail(f"name-{place}", 1)
    records = AuditRecord.objects.filter(kind="sign_in.locked").order_by("id")
    assert [(one.subject, one.detail["locked"]) for one in records] == [
        ("account:wang", "user name"),
        ("account:unknown", "user name"),
        ("address", "address"),
    ]
    kept = [str(one.detail) for one in records] + [key for (key,) in SignInCount.objects.values_list("key")]
    assert "Secret" not in "".join(kept) + str(list(LedgerEntry.objects.values_list("entry")))


@pytest.mark.django_db
def test_counts_that_are_over_are_dropped():
    fail("wang", 1)
    fail("li", 1, now=NOW + 2 * WINDOW)
    assert SignInCount.objects.filter(began_at=NOW).count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("username", ["wang", "nobody"])
def test_the_page_refuses_alike_whether_the_account_exists_and_the_password_is_right(username: str):
    account = Account(username="wang", role="auditor")
    account.set_password(PASSWORD)
    account.save()
    client = Client(headers={"accept-language": "en"})
    for _ in range(FAILURES_OF_NAME):
        answer = client.post("/sign-in/", {"username": username, "password": "wrong"})
        assert (answer.status_code, "User name or password is wrong." in answer.content.decode()) == (200, True)
    answers = [client.post("/sign-in/", {"username": username, "password": word}) for word in ("wrong", PASSWORD)]
    assert [one.status_code for one in answers] == [429, 429]
    told = [one.content.decode().split('role="alert"')[1].split("</section>")[0] for one in answers]
    assert told[0] == told[1]
    assert "too_many_sign_ins" in told[0]
    assert "for another 15" in told[0]
    assert client.get("/").status_code == 302, "nobody is signed in"


@pytest.mark.django_db
def test_a_field_left_empty_is_no_attempt():
    client = Client()
    for _ in range(FAILURES_OF_NAME + 1):
        assert client.post("/sign-in/", {"username": "wang", "password": ""}).status_code == 200
    assert SignInCount.objects.count() == 0


ORIGINS = """
peer        | forwarded          | counted
10.1.1.1    |                    | 10.1.1.1
10.1.1.1    | 9.9.9.9            | 10.1.1.1
127.0.0.1   | 9.9.9.9, 10.2.2.2  | 10.2.2.2
::1         | 10.2.2.2           | 10.2.2.2
127.0.0.1   |                    | 127.0.0.1
"""


@pytest.mark.parametrize("row", ORIGINS.strip().splitlines()[1:])
def test_only_a_proxy_of_this_machine_is_believed_about_where_a_visitor_is(row: str):
    peer, forwarded, counted = (cell.strip() for cell in row.split("|"))
    request = RequestFactory().get("/sign-in/", REMOTE_ADDR=peer, headers={"x-forwarded-for": forwarded})
    assert address_of(request) == counted


@pytest.mark.django_db
def test_the_operators_new_password_ends_a_lock_out_and_is_on_record():
    create_account(Operator("operator:test"), username="wang", password=PASSWORD, role="auditor")
    fail("wang", FAILURES_OF_NAME)
    reset_password(Operator("operator:test"), "wang", "Ein-anderes-2")
    assert sign_in.begin("wang", "10.0.0.9", NOW).by_name == 1
    assert Account.objects.get(username="wang").check_password("Ein-anderes-2")
    [reset] = AuditRecord.objects.filter(kind="account.password_reset")
    assert (reset.subject, reset.actor, reset.detail) == ("account:wang", "operator:test", {"username": "wang"})
    with pytest.raises(NotAllowed):
        reset_password(Account.objects.get(username="wang"), "wang", "Ein-drittes-3")
