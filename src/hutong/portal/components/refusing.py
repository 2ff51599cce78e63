"""Refusals the portal itself makes."""

from __future__ import annotations

from hutong.vocabulary.errors import Refused


class NothingHere(Refused):
    """There is nothing under this address that you may see."""

    zh = "此地址下没有您可以查看的内容。"
    code = "nothing_here"
    status = 404
    next_en = "Go back to the list; what belongs to another department is shown to that department."
    next_zh = "请返回列表查看；其他部门的事项仅向该部门显示。"


class NoSuchStep(Refused):
    """The form asks for a step that does not exist: {step}."""

    zh = "表单请求的操作不存在：{step}。"
    code = "no_such_step"
    status = 400
    next_en = "Open the page again and use its buttons."
    next_zh = "请重新打开页面，使用页面上的按钮。"


class NotOffered(Refused):
    """This resource cannot be requested: {reason}"""

    zh = "不能申请该资源：{reason}"
    code = "not_offered"
    next_en = "Read the offer on the resource's page."
    next_zh = "请阅读资源页面上的共享方式。"
