"""What this account may do on a page: a yes, or a no in words, from the roles' own table."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal.components import words
from hutong.portal.components.parts import YES, May, no
from hutong.vocabulary.errors import Refused

ACTIONS: dict[str, Promise] = {
    Action.ADD_DEPARTMENT: lazy("add a department"),
    Action.ADD_ACCOUNT: lazy("add an account"),
    Action.REGISTER_SOURCE: lazy("register a source"),
    Action.DESCRIBE_RESOURCE: lazy("describe a resource"),
    Action.SIGN_OFF_RESOURCE: lazy("sign off the secrecy assessment"),
    Action.SUBMIT_RESOURCE: lazy("submit a resource for publication"),
    Action.REVIEW_RESOURCE: lazy("review what others submit for publication"),
    Action.REGISTER_SYSTEM: lazy("register an information system"),
    Action.WITHDRAW_RESOURCE: lazy("withdraw a resource"),
    Action.FILE_REQUEST: lazy("file a request"),
    Action.SIGN_OFF_REQUEST: lazy("sign off a request"),
    Action.WITHDRAW_REQUEST: lazy("withdraw a request"),
    Action.ANSWER_REQUEST: lazy("answer a request"),
    Action.FILE_DEMAND: lazy("file or withdraw a demand"),
    Action.SIGN_OFF_DEMAND: lazy("sign off a demand"),
    Action.NAME_LEAD: lazy("name a lead source"),
    Action.MEET_DEMAND: lazy("meet a demand with a resource"),
    Action.REFUSE_DEMAND: lazy("refuse a demand"),
    Action.KEEP_DUTIES: lazy("keep the list of duties"),
    Action.PROPOSE_BARRED: lazy("propose an entry of the negative list"),
    Action.REVIEW_BARRED: lazy("review the negative list"),
    Action.PUBLISH_LISTS: lazy("publish the lists"),
    Action.SIGN_REPLY: lazy("sign a reply"),
    Action.SIMULATE: lazy("simulate what others could read"),
    Action.KEEP_ZONE: lazy("keep zones"),
    Action.ASK_EXTENSION: lazy("ask for more time"),
    Action.CHANGE_AGREEMENT: lazy("suspend, resume or end an agreement"),
    Action.REIDENTIFY: lazy("turn encrypted identifiers back"),
    Action.REPORT_CORRECTION: lazy("report a record that is wrong"),
    Action.ANSWER_CORRECTION: lazy("answer a report of a wrong record"),
    Action.FILE_CONDUCT: lazy("file what was done under an agreement"),
    Action.ANNOUNCE_STOP: lazy("announce that a service stops or changes"),
    Action.PURGE_RECORDS: lazy("purge records of use"),
    Action.ISSUE_KEY: lazy("issue a key to an application"),
    Action.SEE_CATALOGUE: lazy("see the catalogue"),
    Action.SEE_OWN_EXCHANGES: lazy("see the department's exchanges"),
    Action.SEE_ALL_EXCHANGES: lazy("see all exchanges"),
    Action.SEE_OVERSIGHT: lazy("see the figures of supervision"),
    Action.SEE_NODE: lazy("see the state of the node"),
    Action.PROPOSE_PARAMETER: lazy("propose a version of a rule's parameter"),
    Action.APPROVE_PARAMETER: lazy("decide on a version of a rule's parameter"),
    Action.ASK_EXTENSION: lazy("ask for an extension"),
    Action.CONSENT_EXTENSION: lazy("consent to an extension"),
    Action.SEE_CLOCKS: lazy("see the terms"),
    Action.SEE_STANDARDS: lazy("see the region's standards"),
    Action.PROPOSE_STANDARD: lazy("propose a version of a standard"),
    Action.APPROVE_STANDARD: lazy("approve a version of a standard"),
    Action.MEASURE_RESOURCE: lazy("measure a resource against the standards"),
    Action.SEE_WITHHELD_VALUES: lazy("see the values that code maps lack"),
    Action.LOAD_CALENDAR: lazy("load the working-day calendar"),
    Action.APPROVE_CALENDAR: lazy("approve the working-day calendar"),
    Action.ASK_RETURN: lazy("ask for a return"),
    Action.OFFER_DOWN: lazy("offer a resource to the nodes below"),
    Action.TAKE_PART_IN_DISPUTE: lazy("take part in a dispute"),
    Action.SETTLE_DISPUTE: lazy("settle a dispute or bring it a level up"),
    Action.DECIDE_DISPUTE: lazy("mediate or decide a dispute"),
}


def may(account: Account, action: Action, department: str | None = None) -> May:
    """Whether the account may do this, for this department where one is named."""
    if not rules.may(account, action):
        return no(role_reason(account, action))
    try:
        rules.check(account, action, department)
    except Refused as refused:
        return no(refused.say(words.language()))
    return YES


def role_reason(account: Account, action: Action) -> str:
    return _("As {role} you may not {action}.").format(
        role=words.word(words.ROLES, account.role), action=ACTIONS[action]
    )


def when(condition: bool, reason: str, else_: May = YES) -> May:
    """`else_` when the condition holds, otherwise a no with the reason."""
    return else_ if condition else no(reason)
