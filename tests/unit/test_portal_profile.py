"""A Delta Sharing profile from the page of keys: a file with a key that is bound to one purpose and one case."""

from __future__ import annotations

import orjson
import pytest
from django.test import Client
from django.urls import reverse

from hutong.control.identity.models import Account
from hutong.exchange.models import ApiKey
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.canonical import digest
from tests.dsp_peer import department
from tests.region import ourselves

pytestmark = pytest.mark.django_db
GIVEN = {"application": "分析", "days": "30"}


@pytest.fixture
def officer() -> Client:
    ourselves()
    client = Client(headers={"accept-language": "en"})
    client.force_login(Account.objects.create(username="li", role="officer", department=department()))
    return client


def test_with_purpose_and_case_the_answer_is_the_profile_file_and_the_key_is_bound(officer):
    answer = officer.post(reverse("keys"), {**GIVEN, "purpose": "licensing", "case_number": "沪2026-7"})
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    profile = orjson.loads(answer.content)
    assert profile["shareCredentialsVersion"] == 1
    assert profile["endpoint"].endswith("/exchange/delta-sharing")
    assert "expirationTime" in profile
    (key,) = ApiKey.objects.all()
    assert key.key_digest == digest(profile["bearerToken"].encode())
    assert (key.purpose, key.case_number) == ("licensing", "沪2026-7")
    # The case number is the application's own: the record of the act does not hold it.
    assert "沪2026-7" not in str(AuditRecord.objects.get(kind="key.created").detail)
    assert "profile for" in officer.get(reverse("keys")).content.decode()


def test_one_without_the_other_is_told_beside_the_field(officer):
    for half in ({"purpose": "licensing"}, {"case_number": "1"}):
        page = officer.post(reverse("keys"), {**GIVEN, **half}).content.decode()
        assert "A profile needs both a purpose and a case number." in page
    assert not ApiKey.objects.exists()


def test_without_both_it_is_a_key_shown_once(officer):
    page = officer.post(reverse("keys"), GIVEN).content.decode()
    assert "hk_" in page
    assert ApiKey.objects.get().purpose == ""
