"""Our readers and writers against the official schemas: same yes, same no."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.control.agreements import protocol
from hutong.control.agreements.fields import Malformed
from hutong.control.agreements.policy import COMPARISONS, LOGICAL, MEMBERSHIPS, Kind, Policy, read_policy
from hutong.control.agreements.signatures import Signature
from tests.spec import dsp_schemas

pytestmark = pytest.mark.skipif(not dsp_schemas.FOLDER.is_dir(), reason=dsp_schemas.MISSING)

READERS: dict[str, Any] = {
    "negotiation/contract-request-message": protocol.ContractRequest,
    "negotiation/contract-offer-message": protocol.ContractOffer,
    "negotiation/contract-agreement-message": protocol.ContractAgreement,
    "negotiation/contract-agreement-verification-message": protocol.ContractVerification,
    "negotiation/contract-negotiation-event-message": protocol.ContractEvent,
    "negotiation/contract-negotiation-termination-message": protocol.ContractTermination,
    "negotiation/contract-negotiation": protocol.NegotiationProcess,
    "negotiation/contract-negotiation-error": protocol.ContractError,
    "transfer/transfer-request-message": protocol.TransferRequest,
    "transfer/transfer-start-message": protocol.TransferStart,
    "transfer/transfer-completion-message": protocol.TransferCompletion,
    "transfer/transfer-suspension-message": protocol.TransferSuspension,
    "transfer/transfer-termination-message": protocol.TransferTermination,
    "transfer/transfer-process": protocol.TransferProcess,
    "transfer/transfer-error": protocol.TransferError,
    "catalog/catalog-request-message": protocol.CatalogRequest,
}
PIDS = {"providerPid": "urn:uuid:p", "consumerPid": "urn:uuid:c"}

# --- what we may write: values drawn from all our types --------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0xFFFF), max_size=12)
ids = st.text("abcdef0123456789:-_.", min_size=1, max_size=30)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
comparisons = st.fixed_dictionaries(
    {
        "leftOperand": texts,
        "operator": st.sampled_from([*COMPARISONS, *MEMBERSHIPS]),
        "rightOperand": texts | st.lists(texts, max_size=3) | st.dictionaries(texts, texts, max_size=2),
    }
)
constraints = st.recursive(
    comparisons,
    lambda inner: st.builds(lambda name, many: {name: many}, st.sampled_from(LOGICAL), st.lists(inner, max_size=3)),
    max_leaves=5,
)
rules = st.fixed_dictionaries({"action": texts}, optional={"constraint": st.lists(constraints, max_size=3)})
some_rules = st.lists(rules, min_size=1, max_size=2)
rule_sets = st.fixed_dictionaries(
    {"permission": some_rules},
    optional={
        "prohibition": some_rules,
        "obligation": some_rules,
        "profile": texts | st.lists(texts, max_size=2),
        "hutong:terms": plain_json,
    },
)
offers = st.builds(lambda i, t, r: {"@id": i, "@type": "Offer", "target": t, **r}, ids, ids, rule_sets)
agreements = st.builds(
    lambda i, t, a, b, r: {
        **{"@id": i, "@type": "Agreement", "target": t, "assigner": a, "assignee": b},
        "timestamp": "2026-03-02T08:00:00.000Z",
        **r,
    },
    *[ids, ids, texts, texts, rule_sets],
)
addresses = st.fixed_dictionaries(
    {"@type": st.just("DataAddress"), "endpointType": texts},
    optional={
        "endpoint": texts,
        "endpointProperties": st.lists(
            st.fixed_dictionaries({"@type": st.just("EndpointProperty"), "name": texts, "value": texts}),
            min_size=1,
            max_size=2,
        ),
    },
)
signatures = st.none() | st.builds(Signature, texts, texts)
offer_policies = offers.map(lambda document: read_policy(document, Kind.OFFER, "offer"))
agreement_policies = agreements.map(lambda document: read_policy(document, Kind.AGREEMENT, "agreement"))
reasons = st.none() | st.lists(plain_json, min_size=1, max_size=2).map(tuple)
coded = {"code": st.none() | texts, "reason": reasons, "refusal": st.none() | st.dictionaries(texts, texts, max_size=2)}
pids = {"provider_pid": ids, "consumer_pid": ids}
WRITTEN: dict[str, st.SearchStrategy[Any]] = {
    "negotiation/contract-request-message": st.builds(protocol.ContractRequest, ids, offer_policies, st.none(), texts)
    | st.builds(protocol.ContractRequest, ids, offer_policies, ids, st.none()),
    "negotiation/contract-offer-message": st.builds(protocol.ContractOffer, ids, offer_policies, st.none(), texts)
    | st.builds(protocol.ContractOffer, ids, offer_policies, ids, st.none()),
    "negotiation/contract-agreement-message": st.builds(
        protocol.ContractAgreement, **pids, agreement=agreement_policies, signature=signatures
    ),
    "negotiation/contract-agreement-verification-message": st.builds(
        protocol.ContractVerification, **pids, signature=signatures
    ),
    "negotiation/contract-negotiation-event-message": st.builds(
        protocol.ContractEvent, **pids, event=st.sampled_from(["ACCEPTED", "FINALIZED"])
    ),
    "negotiation/contract-negotiation-termination-message": st.builds(protocol.ContractTermination, **pids, **coded),
    "negotiation/contract-negotiation": st.builds(
        protocol.NegotiationProcess, **pids, state=st.sampled_from(["REQUESTED", "FINALIZED", "TERMINATED"])
    ),
    "negotiation/contract-negotiation-error": st.builds(protocol.ContractError, **pids, **coded),
    "transfer/transfer-request-message": st.builds(
        protocol.TransferRequest, ids, ids, texts, texts, st.none() | addresses
    ),
    "transfer/transfer-start-message": st.builds(protocol.TransferStart, **pids, data_address=st.none() | addresses),
    "transfer/transfer-completion-message": st.builds(protocol.TransferCompletion, **pids),
    "transfer/transfer-suspension-message": st.builds(protocol.TransferSuspension, **pids, **coded),
    "transfer/transfer-termination-message": st.builds(protocol.TransferTermination, **pids, **coded),
    "transfer/transfer-process": st.builds(
        protocol.TransferProcess, **pids, state=st.sampled_from(["REQUESTED", "STARTED", "SUSPENDED"])
    ),
    "transfer/transfer-error": st.builds(protocol.TransferError, **pids, **coded),
    "catalog/catalog-request-message": st.builds(protocol.CatalogRequest, st.lists(plain_json, max_size=2).map(tuple)),
}
relaxed = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def test_every_message_type_is_compared() -> None:
    assert set(WRITTEN) == set(READERS)


@pytest.mark.parametrize(("schema", "file"), dsp_schemas.examples(), ids=lambda value: getattr(value, "name", value))
def test_every_official_example_is_read_and_written_back_unchanged(schema: str, file: Any) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    assert READERS[schema].read(document).document() == document


@pytest.mark.parametrize("schema", WRITTEN)
@relaxed
@given(data=st.data())
def test_whatever_we_write_is_valid_and_reads_back_as_itself(schema: str, data: st.DataObject) -> None:
    message = data.draw(WRITTEN[schema])
    document = json.loads(json.dumps(message.document()))
    assert dsp_schemas.complaints(schema, document) == []
    assert READERS[schema].read(document) == message


# --- what we must refuse: valid documents, damaged in one place ---------------------------------------------------


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(document, dict):
        inner = document.items()
    elif isinstance(document, list):
        inner = enumerate(document)  # type: ignore[assignment]
    else:
        return found
    for key, value in inner:
        found += places(value, (*path, key))
    return found


def damaged(document: Any, path: tuple[Any, ...], how: str, junk: Any) -> Any:
    changed = copy.deepcopy(document)
    *way, last = path
    holder = changed
    for step in way:
        holder = holder[step]
    if how == "remove":
        del holder[last]
    elif how == "rename" and isinstance(holder, dict):
        holder[str(last) + "x"] = holder.pop(last)
    elif how == "copy" and isinstance(holder, dict):
        holder[str(junk)] = copy.deepcopy(holder[last])
    else:
        holder[last] = junk
    return changed


JUNK: list[Any] = [
    *[None, True, 0, 1.5, "", "x", [], {}, [None], [1], ["x"], {"a": 1}],
    *["callbackAddress", "providerPid", "consumerPid", "target", "permission", "and", "or", "@type", "reason"],
]


@pytest.mark.parametrize("schema", WRITTEN)
@relaxed
@given(data=st.data())
def test_whatever_the_official_schema_rejects_is_rejected_here(schema: str, data: st.DataObject) -> None:
    document = json.loads(json.dumps(data.draw(WRITTEN[schema]).document()))
    for path in places(document):
        how = data.draw(st.sampled_from(["remove", "rename", "copy", "replace", "replace"]))
        changed = damaged(document, path, how, data.draw(st.sampled_from(JUNK)))
        if dsp_schemas.accepts(schema, changed):
            continue
        with pytest.raises(Malformed):
            READERS[schema].read(changed)


@pytest.mark.parametrize("schema", READERS)
@pytest.mark.parametrize("body", [None, [], "x", 1, {}, {"@type": "x"}])
def test_what_is_no_message_at_all_is_rejected(schema: str, body: Any) -> None:
    with pytest.raises(Malformed):
        READERS[schema].read(body)


def test_a_float_or_nul_within_a_signed_document_is_rejected_though_the_schemas_allow_it() -> None:
    base = {"@id": "a", "@type": "Offer", "permission": [{"action": "use"}]}
    for extra in (1.5, "\x00", {"\x00": 1}, 2**60):
        with pytest.raises(Malformed):
            read_policy({**base, "x": extra}, Kind.OFFER, "offer")


def test_constraints_beyond_the_limit_are_rejected_not_recursed_into() -> None:
    constraint: Any = {"leftOperand": "a", "operator": "eq", "rightOperand": "b"}
    for _ in range(200):
        constraint = {"and": [constraint]}
    offer = {"@id": "a", "@type": "Offer", "permission": [{"action": "use", "constraint": [constraint]}]}
    with pytest.raises(Malformed, match="nested"):
        read_policy(offer, Kind.OFFER, "offer")


def test_ids_that_would_break_a_path_or_a_table_are_rejected() -> None:
    for bad in ("", "x" * 81, "a b", "a\nb", "\x00"):
        with pytest.raises(Malformed):
            protocol.TransferCompletion.read(protocol.TransferCompletion(bad, "urn:uuid:c").document())


def test_a_policy_keeps_members_it_does_not_know() -> None:
    document = {"@id": "a", "@type": "Offer", "permission": [{"action": "use"}], "other:thing": {"deep": [1]}}
    assert read_policy(document, Kind.OFFER, "offer") == Policy("a", document)
