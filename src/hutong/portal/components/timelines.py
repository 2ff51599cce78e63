"""Audit records as a story people read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.clocks.actions import BY_THE_CLOCK
from hutong.control.identity.models import Account
from hutong.ledger.models import AuditRecord
from hutong.node import outside
from hutong.portal.components import words
from hutong.portal.components.parts import Happening, Tone
from hutong.portal.components.peers import Names
from hutong.vocabulary import codes

HAPPENED: dict[str, tuple[object, Tone]] = {
    "request.filed": (lazy("Request filed"), "accent"),
    "request.signed_off": (lazy("Signed off by the head of the sharing body"), "accent"),
    "request.withdrawn": (lazy("Request withdrawn"), "wait"),
    "request.agreed": (lazy("The provider agreed"), "good"),
    "request.refused": (lazy("The provider refused"), "bad"),
    "demand.filed": (lazy("Demand filed"), "accent"),
    "demand.signed_off": (lazy("Demand signed off and sent"), "accent"),
    "demand.received": (lazy("Demand received by whoever acts on it"), "accent"),
    "demand.told": (lazy("Told of a step at another node"), "calm"),
    "demand.lead_named": (lazy("Lead source named"), "good"),
    "demand.handed_up": (lazy("Handed up to the common superior"), "wait"),
    "demand.assigned": (lazy("Assigned by the common superior"), "accent"),
    "demand.joined": (lazy("Joined to another demand for the same data"), "calm"),
    "demand.followed": (lazy("The demand it joined has moved on"), "calm"),
    "demand.went_on": (lazy("Goes on in the place of the one it had joined"), "accent"),
    "demand.fulfilled": (lazy("Met by a published resource"), "good"),
    "demand.refused": (lazy("Ended without a resource"), "bad"),
    "demand.withdrawn": (lazy("Demand withdrawn"), "wait"),
    "demand.withdrawal_asked": (lazy("Asked the holder to end it"), "wait"),
    "request.completed": (lazy("Completed, point by point, and sent again"), "accent"),
    "reply.proposed": (lazy("Reply proposed"), "accent"),
    "reply.signed": (lazy("Reply signed by the head of the sharing body"), "good"),
    "reply.returned": (lazy("Proposed reply sent back"), "wait"),
    "reply.dropped": (lazy("Proposed reply dropped: the request moved on"), "calm"),
    "reply.attempt_blocked": (lazy("An attempt was blocked: the law forbids it"), "bad"),
    "negotiation.extended": (lazy("The provider extended its reply, with consent"), "wait"),
    "resource.simulated": (lazy("Looked at who could read what"), "calm"),
    "negotiation.requested": (lazy("Request sent to the provider"), "accent"),
    "negotiation.offered": (lazy("The provider offered other terms or asked for material"), "wait"),
    "negotiation.accepted": (lazy("Offer accepted"), "accent"),
    "negotiation.terminated": (lazy("Negotiation ended without agreement"), "bad"),
    "negotiation.undelivered": (lazy("The other node did not take the message"), "bad"),
    "offering.proposed": (lazy("Offering proposed"), "accent"),
    "offering.in_force": (lazy("Signed: offered to the whole area"), "good"),
    "offering.refused": (lazy("Offering turned down by the head"), "bad"),
    "offering.offered": (lazy("Offered to a member"), "accent"),
    "offering.agreed": (lazy("A member asked within it: agreed at once"), "good"),
    "offering.not_answered": (lazy("A member never answered"), "wait"),
    "offering.taken_back": (lazy("Taken back from a member"), "wait"),
    "offering.ended": (lazy("A member's agreement ended after its notice"), "calm"),
    "offering.withdrawn": (lazy("Withdrawn from the whole area"), "wait"),
    "agreement.agreed": (lazy("Agreed, and signed by the provider"), "good"),
    "agreement.verified": (lazy("Checked and signed by the consumer"), "good"),
    "agreement.finalized": (lazy("In force"), "good"),
    "agreement.suspended": (lazy("Agreement suspended"), "wait"),
    "agreement.resumed": (lazy("Agreement resumed"), "good"),
    "agreement.reidentified": (lazy("Encrypted identifiers turned back"), "wait"),
    "agreement.ended": (lazy("Agreement ended"), "bad"),
    "agreement.over": (lazy("The agreement is over: its data must be disposed of"), "wait"),
    "filing.suspension": (lazy("Suspension filed, with its cause"), "wait"),
    "filing.suspension_lifted": (lazy("Suspension lifted"), "good"),
    "filing.suspension_ended": (lazy("Suspension ended with the agreement"), "calm"),
    "filing.rectification": (lazy("Rectification filed"), "accent"),
    "filing.rectification_accepted": (lazy("Rectification accepted"), "good"),
    "filing.rectification_objected": (lazy("Rectification objected to"), "bad"),
    "filing.disposal": (lazy("Proof of disposal filed"), "accent"),
    "filing.disposal_accepted": (lazy("Proof of disposal accepted"), "good"),
    "filing.disposal_objected": (lazy("Proof of disposal objected to"), "bad"),
    "filing.incident": (lazy("Security incident reported"), "bad"),
    "filing.stop": (lazy("Stop or change of the service announced"), "wait"),
    "filing.use": (lazy("Record of use filed"), "accent"),
    "correction.reported": (lazy("Wrong record reported"), "wait"),
    "correction.looked": (lazy("Record read from the source"), "accent"),
    "correction.corrected": (lazy("Answered: corrected"), "good"),
    "correction.not_wrong": (lazy("Answered: not wrong"), "calm"),
    "correction.forwarded": (lazy("Answered: forwarded to the true source"), "accent"),
    "correction.told": (lazy("Subscriber told"), "accent"),
    "correction.fell_away": (lazy("Subscriber need not be told: its agreement does not cover the record"), "calm"),
    "correction.heard": (lazy("Correction heard"), "accent"),
    "correction.acknowledged": (lazy("Correction acknowledged"), "good"),
    "correction.undelivered": (lazy("The other node did not take the message"), "bad"),
    "return.asked": (lazy("Return asked for"), "accent"),
    "return.granted": (lazy("Granted by law"), "good"),
    "return.begun": (lazy("Agreement in force; the first batch is due"), "good"),
    "return.refused": (lazy("The superior did not return it"), "bad"),
    "return.stored": (lazy("A batch was fetched and stored"), "accent"),
    "return.stated": (lazy("A batch was stated"), "accent"),
    "return.agreed": (lazy("Both sides hold the same rows"), "good"),
    "return.differs": (lazy("The two sides differ"), "bad"),
    "return.failed": (lazy("A batch could not be fetched"), "bad"),
    "return.fetch_asked": (lazy("A fetch at once was asked for"), "accent"),
    "return.looked_at_again": (lazy("What is stored was digested anew"), "accent"),
    "return.passed_on": (lazy("A resource of ours passes it on"), "good"),
    "return.ended": (lazy("Return ended"), "calm"),
    "request.reopened": (lazy("With the provider again, by the outcome of a dispute"), "accent"),
    "transfer.requested": (lazy("Delivery asked for"), "accent"),
    "transfer.started": (lazy("Delivery open: the data can be read"), "good"),
    "transfer.suspended": (lazy("Delivery suspended: reads are refused"), "wait"),
    "transfer.completed": (lazy("Delivery completed"), "good"),
    "transfer.terminated": (lazy("Delivery ended"), "bad"),
    "clock.started": (lazy("The term began"), "accent"),
    "clock.placed": (lazy("Its last day is known: the calendar was loaded"), "accent"),
    "clock.extension_asked": (lazy("An extension was asked for"), "wait"),
    "clock.extension_consented": (lazy("The supervisor consented to the extension"), "good"),
    "clock.extension_refused": (lazy("The supervisor refused the extension"), "bad"),
    "clock.overdue": (lazy("Overdue: department and supervisor were told"), "bad"),
    "clock.met": (lazy("Done in time"), "good"),
    "clock.late": (lazy("Done late"), "bad"),
    "clock.dropped": (lazy("The duty fell away"), "calm"),
    "grant.active": (lazy("Grant in force"), "good"),
    "grant.suspended": (lazy("Grant suspended"), "wait"),
    "grant.ended": (lazy("Grant ended"), "bad"),
}


# Where the record names no key: the peer is a connector outside the directory.
UNSIGNED = {
    "agreement.agreed": lazy("Agreed by the provider, without a signature"),
    "agreement.verified": lazy("Checked by the consumer, without a signature"),
}


def story(records: Iterable[AuditRecord]) -> tuple[Happening, ...]:
    """The records as happenings, in their own order."""
    kept = list(records)
    names = Names()
    people = {
        one.username: one.display_name or one.username
        for one in Account.objects.filter(username__in={record.actor for record in kept})
    }
    return tuple(_happening(record, names, people) for record in kept)


def _happening(record: AuditRecord, names: Names, people: dict[str, str]) -> Happening:
    what, tone = HAPPENED.get(record.kind, (record.kind, "accent"))
    if record.detail.get("keyid") == "":
        what = UNSIGNED.get(record.kind, what)
    return Happening(record.at, str(what), who(record.actor, names, people), tone, _note(record, names))


def who(actor: str, names: Names, people: Mapping[str, str]) -> str:
    """Who did what a record tells, as people say it.

    people   display names of accounts, by user name
    """
    kind, _colon, rest = actor.partition(":")
    if actor == BY_THE_CLOCK:
        return _("by the calendar")
    if kind == "operator" and rest:
        return _("{name} at the command line").format(name=rest)
    if kind == "rule" and rest:
        return _("by rule {rule}").format(rule=rest)
    if kind == "dispute" and rest:
        return _("by the outcome of a dispute")
    if kind == "node" and rest:
        return names(rest)
    if outside.is_outside(actor):
        return names(actor)
    return people.get(actor, actor)


def _note(record: AuditRecord, names: Names) -> str:
    """What the record says for people: a reason, a citation, a purpose; which member of an area."""
    said = [str(record.detail.get(name, "")) for name in ("reason", "citation", "note")]
    if record.kind == "negotiation.requested" and record.detail.get("purpose"):
        purpose = words.code_name(codes.PURPOSES, str(record.detail["purpose"]))
        said.append(_("For {purpose}").format(purpose=purpose))
    if record.kind.startswith("offering.") and record.detail.get("peer"):
        said.insert(0, names(str(record.detail["peer"])))
    return " · ".join(one for one in said if one)
