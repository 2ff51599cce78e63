"""What each role may do: one table. Decides and touches nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hutong.control.identity.models import Role
from hutong.vocabulary.errors import NotAllowed, Refused

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,58}[a-z0-9]\Z")


class Action(StrEnum):
    """Everything an account can be allowed. A page, a view and a command ask for the same names."""

    ADD_DEPARTMENT = "department.add"
    ADD_ACCOUNT = "account.add"
    REGISTER_SOURCE = "source.register"
    DESCRIBE_RESOURCE = "resource.describe"
    SIGN_OFF_RESOURCE = "resource.sign_off"
    SUBMIT_RESOURCE = "resource.submit"
    REVIEW_RESOURCE = "resource.review"
    REGISTER_SYSTEM = "system.register"
    WITHDRAW_RESOURCE = "resource.withdraw"
    FILE_REQUEST = "request.file"
    SIGN_OFF_REQUEST = "request.sign_off"
    WITHDRAW_REQUEST = "request.withdraw"
    ANSWER_REQUEST = "request.answer"
    FILE_DEMAND = "demand.file"  # and withdraw it
    SIGN_OFF_DEMAND = "demand.sign_off"
    NAME_LEAD = "demand.name_lead"  # and hand up, assign, join
    MEET_DEMAND = "demand.meet"
    REFUSE_DEMAND = "demand.refuse"
    KEEP_DUTIES = "duty.keep"
    PROPOSE_BARRED = "barred.propose"
    REVIEW_BARRED = "barred.review"
    PUBLISH_LISTS = "list.publish"
    SIGN_REPLY = "reply.sign"  # decree 809 article 20: the head of the provider's sharing body
    SIMULATE = "resource.simulate"  # shows sample rows: the provider's own people alone
    KEEP_ZONE = "zone.keep"
    CHANGE_AGREEMENT = "agreement.change"  # suspend, resume, end
    REIDENTIFY = "agreement.reidentify"  # turn encrypted identifiers back
    REPORT_CORRECTION = "correction.report"  # and acknowledge what others have corrected
    ANSWER_CORRECTION = "correction.answer"
    FILE_CONDUCT = "conduct.file"  # rectification, disposal, records of use, incidents
    ANNOUNCE_STOP = "service.announce_stop"
    PURGE_RECORDS = "use.purge"
    ISSUE_KEY = "key.issue"
    SEE_CATALOGUE = "catalogue.see"
    SEE_OWN_EXCHANGES = "exchange.see_own"  # of one's department
    SEE_ALL_EXCHANGES = "exchange.see_all"
    SEE_OVERSIGHT = "oversight.see"  # scorecards, statements
    SEE_NODE = "node.see"  # members, ledger, outbox
    SEE_STANDARDS = "standard.see"
    PROPOSE_STANDARD = "standard.propose"
    APPROVE_STANDARD = "standard.approve"
    MEASURE_RESOURCE = "resource.measure"
    SEE_WITHHELD_VALUES = "withheld.see_values"  # the provider's own unmapped values
    LET_IN = "peer.let_in"  # connectors outside the directory
    PROPOSE_PARAMETER = "parameter.propose"
    APPROVE_PARAMETER = "parameter.approve"
    ASK_EXTENSION = "clock.ask_extension"
    CONSENT_EXTENSION = "clock.consent_extension"
    SEE_CLOCKS = "clock.see"
    LOAD_CALENDAR = "calendar.load"
    APPROVE_CALENDAR = "calendar.approve"
    ASK_RETURN = "return.ask"  # an area's rows back from its superior (article 24)
    OFFER_DOWN = "return.offer"  # offer a resource to the nodes below, for their areas
    TAKE_PART_IN_DISPUTE = "dispute.take_part"
    SETTLE_DISPUTE = "dispute.settle"  # propose, accept, escalate, withdraw, say what was carried out
    DECIDE_DISPUTE = "dispute.decide"  # mediate, or decide as the common superior (article 28)


ACTIONS_ZH: dict[str, str] = {
    Action.ADD_DEPARTMENT: "登记部门",
    Action.ADD_ACCOUNT: "新建账户",
    Action.REGISTER_SOURCE: "登记数据源",
    Action.DESCRIBE_RESOURCE: "编制目录描述",
    Action.SIGN_OFF_RESOURCE: "保密审查签批",
    Action.SUBMIT_RESOURCE: "提请发布数据资源",
    Action.REVIEW_RESOURCE: "审核数据目录",
    Action.REGISTER_SYSTEM: "登记信息系统",
    Action.WITHDRAW_RESOURCE: "撤回数据资源",
    Action.FILE_REQUEST: "提出共享申请",
    Action.SIGN_OFF_REQUEST: "签批共享申请",
    Action.WITHDRAW_REQUEST: "撤回共享申请",
    Action.ANSWER_REQUEST: "答复共享申请",
    Action.FILE_DEMAND: "提出或撤回数据需求",
    Action.SIGN_OFF_DEMAND: "签批数据需求",
    Action.NAME_LEAD: "明确数源部门",
    Action.MEET_DEMAND: "以数据资源满足需求",
    Action.REFUSE_DEMAND: "对需求不予办理",
    Action.KEEP_DUTIES: "登记责任清单",
    Action.PROPOSE_BARRED: "提请列入负面清单",
    Action.REVIEW_BARRED: "审核负面清单",
    Action.PUBLISH_LISTS: "发布清单",
    Action.SIGN_REPLY: "签批对共享申请的答复",
    Action.SIMULATE: "模拟共享结果",
    Action.KEEP_ZONE: "维护示范区",
    Action.CHANGE_AGREEMENT: "暂停、恢复或终止共享协议",
    Action.REIDENTIFY: "还原加密的标识",
    Action.REPORT_CORRECTION: "提出数据校核",
    Action.ANSWER_CORRECTION: "答复数据校核",
    Action.FILE_CONDUCT: "报送整改、处置、使用记录和安全事件",
    Action.ANNOUNCE_STOP: "报备停止或变更服务",
    Action.PURGE_RECORDS: "到期清除使用记录",
    Action.ISSUE_KEY: "签发应用密钥",
    Action.SEE_CATALOGUE: "查看目录",
    Action.SEE_OWN_EXCHANGES: "查看本部门的交换",
    Action.SEE_ALL_EXCHANGES: "查看全部交换",
    Action.SEE_OVERSIGHT: "查看监督指标",
    Action.SEE_NODE: "查看节点状态",
    Action.SEE_STANDARDS: "查看区域标准",
    Action.PROPOSE_STANDARD: "提出标准版本",
    Action.APPROVE_STANDARD: "批准标准版本",
    Action.MEASURE_RESOURCE: "测评标准符合度",
    Action.SEE_WITHHELD_VALUES: "查看未映射的取值",
    Action.LET_IN: "接入名录外的连接器",
    Action.ASK_RETURN: "申请数据回流",
    Action.OFFER_DOWN: "向下级提供数据资源",
    Action.TAKE_PART_IN_DISPUTE: "参与争议会商",
    Action.SETTLE_DISPUTE: "提出、接受和解或提请上级",
    Action.DECIDE_DISPUTE: "调解或作出协调决定",
    Action.PROPOSE_PARAMETER: "提出规则参数版本",
    Action.APPROVE_PARAMETER: "审定规则参数版本",
    Action.ASK_EXTENSION: "申请延长期限",
    Action.CONSENT_EXTENSION: "同意延长期限",
    Action.SEE_CLOCKS: "查看期限",
    Action.LOAD_CALENDAR: "载入工作日历",
    Action.APPROVE_CALENDAR: "批准工作日历",
}
OPERATOR = "operator"  # the person at the node's own command line, who holds its files anyway

_OFFICER = frozenset({
    Action.FILE_DEMAND,
    Action.MEET_DEMAND,
    Action.KEEP_DUTIES,
    Action.PROPOSE_BARRED,
    Action.REGISTER_SOURCE,
    Action.DESCRIBE_RESOURCE,
    Action.SUBMIT_RESOURCE,
    Action.REGISTER_SYSTEM,
    Action.WITHDRAW_RESOURCE,
    Action.FILE_REQUEST,
    Action.WITHDRAW_REQUEST,
    Action.ANSWER_REQUEST,
    Action.SIMULATE,
    Action.CHANGE_AGREEMENT,
    Action.REPORT_CORRECTION,
    Action.ANSWER_CORRECTION,
    Action.FILE_CONDUCT,
    Action.ANNOUNCE_STOP,
    Action.ISSUE_KEY,
    Action.SEE_CATALOGUE,
    Action.SEE_OWN_EXCHANGES,
    Action.SEE_STANDARDS,
    Action.MEASURE_RESOURCE,
    Action.SEE_CLOCKS,
    Action.ASK_EXTENSION,
    Action.ASK_RETURN,
    Action.OFFER_DOWN,
    Action.TAKE_PART_IN_DISPUTE,
})  # fmt: skip
_SEE_ALL = frozenset({
    Action.SEE_STANDARDS,
    Action.SEE_CATALOGUE,
    Action.SEE_OWN_EXCHANGES,
    Action.SEE_ALL_EXCHANGES,
    Action.SEE_NODE,
    Action.SEE_OVERSIGHT,
    Action.SEE_CLOCKS,
})  # fmt: skip

MAY: dict[str, frozenset[Action]] = {
    Role.OFFICER: _OFFICER,
    # The head of the sharing body answers for the department: signs off what leaves it and what it asks for.
    Role.HEAD: _OFFICER
    | {
        Action.SIGN_REPLY,
        Action.REIDENTIFY,
        Action.SIGN_OFF_RESOURCE,
        Action.SIGN_OFF_REQUEST,
        Action.SIGN_OFF_DEMAND,
        Action.REFUSE_DEMAND,
        Action.SETTLE_DISPUTE,
    },
    Role.STEWARD: _SEE_ALL
    | {
        Action.ADD_DEPARTMENT,
        Action.ADD_ACCOUNT,
        Action.KEEP_DUTIES,
        Action.PROPOSE_BARRED,
        Action.PUBLISH_LISTS,
        Action.REGISTER_SOURCE,
        Action.DESCRIBE_RESOURCE,
        Action.REGISTER_SYSTEM,
        Action.WITHDRAW_RESOURCE,
        Action.PROPOSE_PARAMETER,
        Action.PROPOSE_STANDARD,
        Action.MEASURE_RESOURCE,
        Action.SEE_WITHHELD_VALUES,
        Action.LOAD_CALENDAR,
        Action.KEEP_ZONE,
    },
    # The supervisor reviews the catalogue (article 16) and may stop misuse (article 27); data it asks for none.
    Role.SUPERVISOR: _SEE_ALL
    | {
        Action.REVIEW_RESOURCE,
        Action.NAME_LEAD,
        Action.REFUSE_DEMAND,
        Action.KEEP_DUTIES,
        Action.REVIEW_BARRED,
        Action.PUBLISH_LISTS,
        Action.CHANGE_AGREEMENT,
        Action.WITHDRAW_RESOURCE,
        Action.PROPOSE_PARAMETER,
        Action.APPROVE_PARAMETER,
        Action.APPROVE_STANDARD,
        Action.CONSENT_EXTENSION,
        Action.LOAD_CALENDAR,
        Action.APPROVE_CALENDAR,
        Action.KEEP_ZONE,
        Action.TAKE_PART_IN_DISPUTE,
        Action.SETTLE_DISPUTE,
        Action.DECIDE_DISPUTE,
    },
    Role.AUDITOR: _SEE_ALL,
    OPERATOR: _SEE_ALL
    | {
        Action.ADD_DEPARTMENT,
        Action.ADD_ACCOUNT,
        Action.PROPOSE_STANDARD,
        Action.LET_IN,
        Action.PROPOSE_PARAMETER,
        Action.LOAD_CALENDAR,
        Action.PURGE_RECORDS,
    },
}
ACROSS_DEPARTMENTS = frozenset({Role.STEWARD, Role.SUPERVISOR, Role.AUDITOR, OPERATOR})
NEEDS_DEPARTMENT = frozenset({Role.OFFICER, Role.HEAD})


class Actor(Protocol):
    """Whoever acts: an Account, or the Operator."""

    @property
    def username(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def department_id(self) -> str | None: ...
    @property
    def is_active(self) -> bool: ...


@dataclass(frozen=True)
class Operator:
    """The person at the node's command line, named as the system names them."""

    username: str
    role: str = OPERATOR
    department_id: str | None = None
    is_active: bool = True


class OtherDepartment(Refused):
    """This belongs to another department, and your role acts for your own alone."""

    zh = "此事项属于其他部门，您的角色只能办理本部门事项。"
    code = "other_department"
    next_en = "Ask an officer of that department."
    next_zh = "请由该部门的人员办理。"


class AccountClosed(Refused):
    """This account is closed."""

    zh = "该账户已停用。"
    code = "account_closed"
    next_en = "Ask the data steward to open it again."
    next_zh = "请联系数据管家重新启用。"


class BadUsername(Refused):
    """A user name is 2 to 60 small letters, digits, dots, hyphens and underscores, and begins and ends with a
    letter or digit."""

    zh = "用户名为 2 至 60 个小写字母、数字、点、连字符或下划线，且以字母或数字开头和结尾。"
    code = "bad_username"
    status = 400
    next_en = "Choose another user name."
    next_zh = "请另选用户名。"


class UsernameTaken(Refused):
    """There is already an account named {username}."""

    zh = "账户 {username} 已存在。"
    code = "username_taken"
    status = 409
    next_en = "Choose another user name."
    next_zh = "请另选用户名。"


class UnknownRole(Refused):
    """There is no role {role}; it is one of: {known}."""

    zh = "没有角色 {role}；可选：{known}。"
    code = "unknown_role"
    status = 400
    next_en = "Choose one of these roles."
    next_zh = "请选择上述角色之一。"


class DepartmentNeeded(Refused):
    """An account with the role {role} acts for a department: name one."""

    zh = "{role}须属于某个部门：请指定部门。"
    code = "department_needed"
    status = 400
    next_en = "Give the department's unified social credit code."
    next_zh = "请提供部门的统一社会信用代码。"


class NoDepartmentHere(Refused):
    """An account with the role {role} stands above departments and belongs to none."""

    zh = "{role}不属于任何部门。"
    code = "no_department_here"
    status = 400
    next_en = "Leave the department out, or choose another role."
    next_zh = "请不要指定部门，或另选角色。"


class WeakPassword(Refused):
    """This password is too easy to guess: it needs at least 10 characters and must not be a common one."""

    zh = "密码过于简单：至少 10 个字符，且不能是常见密码。"
    code = "weak_password"
    status = 400
    next_en = "Choose another one, or let one be generated."
    next_zh = "请更换密码，或由系统生成。"


def may(account: Actor, action: Action | str) -> bool:
    """True when the account's role allows the action. Says nothing about departments."""
    return account.is_active and action in MAY.get(account.role, frozenset())


def check(account: Actor, action: Action | str, department: str | None = None) -> None:
    """Refuse what the role does not allow, and what belongs to another department.

    department    code of the department the thing belongs to; None where it belongs to none
    raises        AccountClosed, NotAllowed, OtherDepartment
    """
    if not account.is_active:
        raise AccountClosed()
    if action not in MAY.get(account.role, frozenset()):
        raise NotAllowed(role=account.role or "none", action=str(action), action_zh=ACTIONS_ZH.get(action, str(action)))
    if department is not None and account.role not in ACROSS_DEPARTMENTS and account.department_id != department:
        raise OtherDepartment()


def check_new_account(username: str, role: str, department: str | None) -> None:
    """raises   BadUsername, UnknownRole, DepartmentNeeded, NoDepartmentHere"""
    if not USERNAME.match(username):
        raise BadUsername()
    if role not in Role.values:
        raise UnknownRole(role=role[:20], known=Role.values)
    if role in NEEDS_DEPARTMENT and not department:
        raise DepartmentNeeded(role=role)
    if role not in NEEDS_DEPARTMENT and department and role != Role.STEWARD:
        raise NoDepartmentHere(role=role)
