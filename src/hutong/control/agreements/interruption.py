"""What a consumer is told when the source of an agreement changes under it, and when it is put right.

Only items of its own agreement are named to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.queries import title_of
from hutong.control.agreements.transitions import Party
from hutong.control.catalogue.drift import listens
from hutong.control.catalogue.models import Resource
from hutong.control.notices.actions import tell
from hutong.exchange.grants.store import load
from hutong.exchange.shaping.predicate import Predicate
from hutong.ledger.record import record
from hutong.node import outside
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput, NotFound, Refused
from hutong.vocabulary.sentences import Sentence

EVENT = "agreement.source"
MOST_ITEMS = 500


class ProviderSourceChanged(Sentence):
    """{title}: the provider's source no longer has {items}, or has them with another type. Nothing is served under
    agreement {agreement} until the provider has put it right."""

    zh = "{title}：提供方的数据源已没有信息项 {items}，或其类型已变。提供方恢复之前，协议 {agreement} 暂不提供数据。"
    code = "provider_source_changed"


class ProviderSourceRestored(Sentence):
    """{title}: the provider's source is as agreed again; agreement {agreement} is served."""

    zh = "{title}：提供方的数据源已恢复，协议 {agreement} 恢复提供数据。"
    code = "provider_source_restored"


@listens
def tell_consumers(resource: Resource, before: Sequence[str], now: Sequence[str]) -> None:
    """In the transaction that flags the resource."""
    found = Agreement.objects.filter(
        resource_id=resource.id, role=Party.PROVIDER, state__in=("agreed", "active", "suspended")
    )
    for agreement in found.order_by("id"):
        if outside.is_outside(agreement.peer):
            continue
        needed = _needed(agreement.id, resource)
        told, concerned = needed.intersection(before), needed.intersection(now)
        if told != concerned:
            post_event(agreement.peer, EVENT, agreement.id, {"agreement": agreement.id, "items": sorted(concerned)})


@on_event(EVENT)
def hear(peer: Peer, event: Event) -> None:
    """A provider's source has changed, or is as agreed again."""
    said = event.data.get("items")
    if not isinstance(said, list) or len(said) > MOST_ITEMS or not all(isinstance(one, str) for one in said):
        raise BadInput(reason="the event's items are no list of names", reason_zh="事件的 items 不是名称列表")
    name = str(event.data.get("agreement"))[:80]
    agreement = Agreement.objects.filter(id=name, peer=peer.jurisdiction, role=Party.CONSUMER).first()
    if agreement is None:
        raise NotFound(what="agreement", name=name)
    items = [one[:120] for one in said]
    kind = "agreement.source_changed" if items else "agreement.source_restored"
    record(kind, f"agreement:{agreement.id}", f"node:{peer.jurisdiction}", {"items": items})
    title = title_of(agreement.resource_id)
    named = {"title": title.en or title.zh, "title_zh": title.zh or title.en, "agreement": agreement.id}
    sentence = ProviderSourceChanged(**named, items=items) if items else ProviderSourceRestored(**named)
    about, page = f"agreement:{agreement.id}", ("agreement", agreement.id)
    for role in ("officer", "head"):
        tell(sentence, role=role, department=agreement.department, subject=about, page=page)


def _needed(agreement_id: str, resource: Resource) -> set[str]:
    """The items an agreement gives, and those its condition looks at, but for what the source, as it was last read,
    has under another name: those columns are found by their ids (hutong.exchange.sources.bound)."""
    try:
        grant, _ = load(agreement_id)
        tested = Predicate.from_document(grant.where).items() if grant.where else frozenset()
    except Refused:
        return set()
    columns = resource.source.schema if resource.source else []
    names = {one["field"]: one["name"] for one in columns if "field" in one}
    renamed = {item for item, id_ in grant.fields.items() if names.get(id_, item) != item}
    return ({item.name for item in grant.items} | tested) - renamed
