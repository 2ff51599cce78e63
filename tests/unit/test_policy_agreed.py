"""What an agreement's policy says is what is signed, taken and granted, with our terms and without."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hutong.control.agreements import protocol
from hutong.control.agreements.compile import compile_grant, limits_under
from hutong.control.agreements.constraints import PolicyNotUnderstood
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.policy import Kind, read_policy
from hutong.control.agreements.rules import ItemNotShareable
from hutong.control.identity.models import Account
from hutong.control.requests import actions as requests
from hutong.control.requests.models import ShareRequest
from hutong.exchange.models import Entitlement
from hutong.vocabulary.codes import PURPOSES
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import HEALTH, DspPeer, agree, agreed, department, heard_of, published, refuse, terms

pytestmark = pytest.mark.django_db


def compare(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def use(*constraints: dict[str, Any]) -> dict[str, Any]:
    return {"permission": [{"action": "use", "constraint": list(constraints)}]}


# --- as provider ----------------------------------------------------------------------------------------------


def test_the_permission_says_in_odrl_what_the_terms_say(anhui: DspPeer, officer: Account) -> None:
    pid, _, _ = anhui.request(published(), terms())
    made = agree(officer, pid, term_days=30, quota_calls_per_day=50)
    (rule,) = made.document["permission"]
    starts, ends = (made.document["hutong:terms"][name] for name in ("starts_at", "ends_at"))
    assert [(one["leftOperand"], one["operator"], one["rightOperand"]) for one in rule["constraint"]] == [
        ("purpose", "eq", "licensing"),
        ("dateTime", "gteq", starts),
        ("dateTime", "lt", ends),
        ("hutong:item", "isAnyOf", ["uscc", "name"]),
        ("hutong:callsPerDay", "lteq", "50"),
        ("count", "lteq", str(50 * 31)),
        ("recipient", "eq", HEALTH),
        ("spatial", "eq", "340000"),
    ]
    grant = compile_grant(made)
    assert (grant.purposes, grant.quota_calls_per_day, grant.quota_calls) == (("licensing",), 50, 1550)
    assert grant.in_force.parts == ((made.starts_at, made.ends_at),)


def plain(anhui: DspPeer, officer: Account, rules: dict[str, Any]) -> Agreement:
    """A peer without our terms takes up our offer with these rules, and our officer agrees."""
    entry = published()
    offer = {"@id": entry.dataset["hasPolicy"][0]["@id"], "@type": "Offer", "target": entry.dataset["@id"], **rules}
    message = protocol.ContractRequest(urn(new_id()), read_policy(offer, Kind.OFFER, "offer"), callback=anhui.callback)
    pid = anhui.say("/negotiations/request", message).json()["providerPid"]
    return agree(officer, pid, term_days=90)


def test_a1_a_peer_cannot_leave_out_what_our_offer_says(anhui: DspPeer, officer: Account) -> None:
    made = plain(anhui, officer, use())
    grant = compile_grant(made)
    assert grant.purposes == ("licensing",)
    assert (grant.quota_calls_per_day, grant.quota_calls) == (10_000, None)
    assert [item.name for item in grant.items] == ["uscc", "name", "phone"]
    assert round((made.ends_at - made.starts_at) / timedelta(days=1)) == 90


def test_a1_a_peer_may_ask_for_less_than_our_offer_says(anhui: DspPeer, officer: Account) -> None:
    less = [compare("hutong:item", "isAnyOf", ["name", "uscc"]), compare("count", "lt", "6")]
    hours = compare("dateTime", "neq", "2026-12-31T16:00:00Z")
    wide = compare("hutong:callsPerDay", "lteq", "1000000")
    grant = compile_grant(plain(anhui, officer, use(*less, hours, wide)))
    assert [item.name for item in grant.items] == ["uscc", "name"]  # in the catalogue's order, with its masks
    assert [item.action for item in grant.items] == ["keep", "name"]
    assert (grant.quota_calls_per_day, grant.quota_calls, grant.purposes) == (10_000, 5, ("licensing",))


@pytest.mark.parametrize(
    "rules",
    [
        use(compare("purpose", "eq", "marketing")),
        use(compare("payAmount", "eq", "5")),
        use() | {"prohibition": [{"action": "distribute"}]},
        use() | {"obligation": [{"action": "compensate"}]},
        {"prohibition": [{"action": "use"}]},
        {"permission": [{"action": "use", "duty": [{"action": "compensate"}]}]},
    ],
)
def test_a8_what_cannot_be_carried_out_is_not_signed_and_the_officer_reads_why(
    anhui: DspPeer, officer: Account, rules: dict[str, Any]
) -> None:
    with pytest.raises(PolicyNotUnderstood):
        plain(anhui, officer, rules)
    assert not Agreement.objects.exists()
    assert not anhui.heard(protocol.ContractAgreement)
    waiting = Negotiation.objects.get()
    refuse(officer, waiting.pid, "no_statutory_duty", "无法执行", "《政务数据共享条例》第二十条")
    waiting.refresh_from_db()
    assert waiting.state == "TERMINATED"


def test_d809_14_item_not_shareable_is_not_signed_for(anhui: DspPeer, officer: Account) -> None:
    with pytest.raises(ItemNotShareable, match="shoe_size"):
        plain(anhui, officer, use(compare("hutong:item", "isAnyOf", ["uscc", "shoe_size"])))
    assert not Agreement.objects.exists()


# --- as consumer ----------------------------------------------------------------------------------------------


@pytest.fixture
def asked(anhui: DspPeer) -> tuple[ShareRequest, str, str]:
    """A request of ours that its provider has acknowledged. returns it, their pid and ours"""
    office = department(HEALTH, "卫生健康委员会")
    accounts = {
        role: Account.objects.create(username=role, role=role, department=office) for role in ("officer", "head")
    }
    words = {"basis": "某法", "scenario": "窗口", "scope": "本市", "items": ["uscc"], "purpose": "licensing"}
    made = requests.file(accounts["officer"], resource_id=heard_of(anhui.node).id, term_days=365, **words)
    request = requests.sign_off(accounts["head"], made.id)
    theirs = urn(new_id())
    Negotiation.objects.filter(pid=request.negotiation_id).update(peer_pid=theirs)
    return request, theirs, request.negotiation_id


def hear(anhui: DspPeer, asked: tuple[ShareRequest, str, str], *, signed: bool, **changes: Any) -> Any:
    request, theirs, ours = asked
    policy = anhui.agreement(request.resource_id, agreed(requests.terms_of(request)) if signed else None, **changes)
    signature = anhui.countersign(policy) if signed else None
    return anhui.say(f"/negotiations/{ours}/agreement", protocol.ContractAgreement(theirs, ours, policy, signature))


@pytest.mark.parametrize(
    ("left", "operator", "right", "what"),
    [
        ("purpose", "eq", "statistics", "purpose"),
        ("dateTime", "lt", "2200-01-01T00:00:00Z", "term_days"),
        ("hutong:item", "isAnyOf", ["uscc", "name"], "items"),
        ("hutong:callsPerDay", "lteq", "999999", "quota_calls_per_day"),
        ("count", "lteq", "7", "quota_calls_per_day"),
    ],
)
def test_a_9_agreement_contradicts_a_permission_says_what_the_terms_say(
    anhui: DspPeer, asked: tuple[ShareRequest, str, str], left: str, operator: str, right: Any, what: str
) -> None:
    request, _, ours = asked
    honest = anhui.agreement(request.resource_id, agreed(requests.terms_of(request))).document["permission"][0]
    kept = [one for one in honest["constraint"] if (one["leftOperand"], one["operator"]) != (left, operator)]
    assert len(kept) == len(honest["constraint"]) - 1
    answer = hear(anhui, asked, signed=True, **use(*kept, compare(left, operator, right)))
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_contradicts")
    assert answer.json()["hutong:problem"]["what"] == what
    assert Negotiation.objects.get(pid=ours).state == "REQUESTED"
    assert not Agreement.objects.exists()


def test_a9_a_permission_for_somebody_else_is_refused(anhui: DspPeer, asked: tuple[ShareRequest, str, str]) -> None:
    answer = hear(anhui, asked, signed=True, **use(compare("recipient", "eq", "urn:hutong:node:310000")))
    assert answer.json()["code"] == "policy_never_holds"


def test_a8_a_plain_agreement_that_we_cannot_read_is_refused(
    anhui: DspPeer, asked: tuple[ShareRequest, str, str]
) -> None:
    answer = hear(anhui, asked, signed=False, **use(compare("industry", "eq", "medicine")))
    assert (answer.status_code, answer.json()["code"]) == (400, "policy_not_understood")
    assert not Agreement.objects.exists()


def test_a_plain_agreement_that_is_over_is_refused_and_one_to_come_waits(
    anhui: DspPeer, asked: tuple[ShareRequest, str, str]
) -> None:
    over = hear(anhui, asked, signed=False, **use(compare("dateTime", "lt", "2026-01-01T00:00:00Z")))
    assert (over.status_code, over.json()["code"]) == (400, "policy_never_holds")
    assert hear(anhui, asked, signed=False, **use(compare("dateTime", "gteq", "2199-01-01"))).status_code == 200
    made = Agreement.objects.get()
    assert (made.starts_at.isoformat(), made.ends_at) == ("2199-01-01T14:00:00+00:00", None)


def test_a_plain_agreement_is_taken_for_the_purposes_and_the_time_it_names(
    anhui: DspPeer, asked: tuple[ShareRequest, str, str]
) -> None:
    rules = use(
        {"or": [compare("purpose", "eq", "licensing"), compare("purpose", "eq", "credit")]},
        compare("dateTime", "lteq", "2199-12-31T23:59:59Z"),
        compare("spatial", "isPartOf", "320000"),
        compare("hutong:item", "isAnyOf", ["uscc", "name"]),
    )
    assert hear(anhui, asked, signed=False, **rules).status_code == 200
    made = Agreement.objects.get()
    assert made.ends_at is not None
    assert made.ends_at.isoformat() == "2199-12-31T23:59:59.000001+00:00"
    assert limits_under(made).purposes == tuple(one for one in PURPOSES.codes if one in ("licensing", "credit"))
    _, theirs, ours = asked
    said = protocol.ContractEvent(theirs, ours, "FINALIZED")
    assert anhui.say(f"/negotiations/{ours}/events", said).status_code == 200
    entitlement = Entitlement.objects.get()
    assert (sorted(entitlement.purposes), entitlement.items) == (["credit", "licensing"], ["name", "uscc"])
