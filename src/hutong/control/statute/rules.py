"""Who may change a parameter of a rule, and how far. Decides and touches nothing."""

from __future__ import annotations

from datetime import date

from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.rulebook import Parameter, Rule

SHORTEST_SOURCE = 4  # characters of the text that says so


class NoSuchParameter(NotFound):
    """There is no parameter {name} in the rule book."""

    zh = "规则库中没有参数 {name}。"
    code = "no_such_parameter"
    next_en = "List the rules and their parameters with: hutong rule list"
    next_zh = "请用以下命令查看规则及参数：hutong rule list"


class BeyondLocalPower(Rule):
    """A local rule may set {name} only {direction} than {declared} {unit}; {value} is not."""

    zh = "地方规定只能将{name}设为{direction}（{declared}{unit}）；{value} 不符合。"
    code = "beyond_local_power"
    rule = "R-1"
    status = 400
    next_en = "Choose a value within it, or enter the change of the law itself with its source."
    next_zh = "请在允许范围内取值；如法律本身已修改，请注明来源后按国家层级录入。"


class OwnProposal(Rule):
    """You proposed this version, so another person must decide on it."""

    zh = "该版本由您提出，应当由另一人审定。"
    code = "own_proposal"
    rule = "R-2"
    next_en = "Ask a supervisor who did not propose it."
    next_zh = "请由未参与提出的主管部门人员审定。"


class SinceInThePast(Rule):
    """A version may begin today or later, not on {since}: what was decided stays decided."""

    zh = "参数版本只能自今日或以后生效，不能自 {since} 起生效：已作出的决定不受影响。"
    code = "since_in_the_past"
    rule = "R-3"
    status = 400
    next_en = "Choose today or a later day."
    next_zh = "请选择今日或以后的日期。"


class ParameterSourceMissing(Rule):
    """A version of a parameter names the text it rests on."""

    zh = "参数版本应当注明所依据的文件。"
    code = "parameter_source_missing"
    rule = "R-4"
    status = 400
    next_en = "Give the document and its article."
    next_zh = "请注明文件及条款。"


_DIRECTIONS = {
    "lower": ("lower or equal", "不高于"),
    "higher": ("higher or equal", "不低于"),
    "none": ("equal", "等于"),
    "any": ("at least zero", "不小于零"),
}


def check_version(parameter: Parameter, level: str, value: int, *, since: date, source: str, today: date) -> None:
    """raises   BeyondLocalPower, SinceInThePast, ParameterSourceMissing"""
    if len(source.strip()) < SHORTEST_SOURCE:
        raise ParameterSourceMissing
    if since < today:
        raise SinceInThePast(since=since.isoformat())
    if value < 0 or (level == "local" and not parameter.allows(value)):
        english, chinese = _DIRECTIONS["any" if level == "national" else parameter.local]
        raise BeyondLocalPower(
            name=parameter.name,
            direction=english,
            direction_zh=chinese,
            declared=parameter.value,
            unit=parameter.unit,
            unit_zh=parameter.unit_zh,
            value=value,
        )


def check_other_person(proposed_by: str, username: str) -> None:
    """Four eyes. raises   OwnProposal"""
    if proposed_by == username:
        raise OwnProposal
