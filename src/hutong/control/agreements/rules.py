"""What may not be agreed, signed, sent or done. Rules decide and touch nothing.

A-1 to A-9 are Hutong's own rules of an agreement between nodes; D809 are decree 809's articles.
"""

from __future__ import annotations

from hutong.vocabulary.errors import Refused
from hutong.vocabulary.rulebook import Rule


class AgreementDiffers(Rule):
    """The agreement says {what} other than what was asked: an agreement may be narrower, never wider or different."""

    zh = "共享协议中的{what}与申请不一致：协议可以比申请窄，不得更宽或者不同。"
    code = "agreement_differs"
    status = 400
    rule = "A-1"
    next_en = "Send an agreement within the request, or end the negotiation with a reason."
    next_zh = "请发送不超出申请范围的协议，或者说明理由后终止协商。"


class AgreementUnsigned(Rule):
    """The agreement uses our terms but the signature of {signer} is missing."""

    zh = "共享协议使用了互通条款，但缺少 {signer} 的签名。"
    code = "agreement_unsigned"
    status = 400
    rule = "A-2"
    next_en = "Sign the canonical JSON of the agreement and send it again."
    next_zh = "请对协议的规范化 JSON 签名后重新发送。"


class TermsFromOutside(Rule):
    """A connector outside the directory has no key there to sign hutong:terms with, so it may not use them."""

    zh = "名录外的连接器没有可用于签署 hutong:terms 的名录密钥，因此不得使用该条款。"
    code = "terms_from_outside"
    status = 400
    rule = "A-2"
    next_en = "Ask for the published offer as it is, or join the region."
    next_zh = "请按已发布的要约提出申请，或者加入区域。"


class BadAgreementSignature(Rule):
    """The signature under the agreement is not one of {signer}: {reason}."""

    zh = "协议签名不是 {signer} 的有效签名：{reason}。"
    code = "bad_agreement_signature"
    status = 403
    rule = "A-2"
    next_en = "Sign it with a key that the directory lists for that node."
    next_zh = "请用成员目录中列出的该节点密钥签名。"


class PidsDiffer(Rule):
    """The process ids in the message are not those of this process."""

    zh = "报文中的流程标识与本流程不一致。"
    code = "pids_differ"
    status = 400
    rule = "A-3"
    next_en = "Send the ids as acknowledged when the process began."
    next_zh = "请使用流程开始时确认的标识。"


class ForeignCallback(Rule):
    """The callback address is not one of the sender's own."""

    zh = "回调地址不属于发送方。"
    code = "foreign_callback"
    status = 400
    rule = "A-4"
    next_en = "Give an address below the base URL that the directory, or the node's operator, lists for you."
    next_zh = "请使用成员名录或节点运维人员为您登记的基地址之下的地址。"


class PeerStillUnderWay(Refused):
    """{count} negotiations and deliveries with {name} are not ended yet, {first} among them."""

    zh = "与 {name} 的 {count} 项协商和交付尚未结束，其中有 {first}。"
    code = "peer_still_under_way"
    status = 409
    next_en = "End them first; if its token is in wrong hands, make a new one now: hutong peer change --new-token"
    next_zh = "请先将其终止；如令牌已泄露，请立即更换：hutong peer change --new-token"


class AddressNeeded(Refused):
    """This connector has several addresses: {addresses}."""

    zh = "该连接器有多个地址：{addresses}。"
    code = "address_needed"
    status = 400
    next_en = "Name one of them with: --address"
    next_zh = "请用 --address 指定其中一个。"


class AnotherContent(Rule):
    """This process id was used before with another content."""

    zh = "该流程标识已用于不同内容的报文。"
    code = "another_content"
    status = 400
    rule = "A-5"
    next_en = "Begin a new process with a new id."
    next_zh = "请以新的标识开始新流程。"


class NotTheSuspender(Rule):
    """The {suspended_by} suspended this, so only the {suspended_by} may resume it."""

    zh = "由{suspended_by}暂停的，只能由{suspended_by}恢复。"
    code = "not_the_suspender"
    status = 403
    rule = "D809-27"
    next_en = "Rectify what was named in the suspension, then ask the other side to resume."
    next_zh = "请按暂停通知整改后，请对方恢复。"


class ReasonMissing(Rule):
    """To {action} an agreement, a reason must be given."""

    zh = "对共享协议执行“{action}”时应当说明理由。"
    code = "reason_missing"
    status = 400
    rule = "D809-27"
    next_en = "Say why; the other side will read it."
    next_zh = "请说明理由，对方将会看到。"


class UnknownDataset(Rule):
    """This node publishes no data set {dataset}."""

    zh = "本节点没有发布数据集 {dataset}。"
    code = "unknown_dataset"
    status = 400
    rule = "D809-16"
    next_en = "Read the catalog again: the entry may have been withdrawn."
    next_zh = "请重新查询目录，该条目可能已撤销。"


class ItemNotShareable(Rule):
    """These items may not be shared: {items}."""

    zh = "以下信息项不予共享：{items}。"
    code = "item_not_shareable"
    status = 400
    rule = "D809-14"
    next_en = "Leave them out, or refuse with the citation that forbids sharing them."
    next_zh = "请去除这些信息项，或列明不予共享的依据后拒绝。"


class AgreementContradicts(Rule):
    """The agreement's ODRL permission and its hutong:terms do not say the same of {what}."""

    zh = "共享协议的 ODRL 许可与 hutong:terms 对{what}的约定不一致。"
    code = "agreement_contradicts"
    status = 400
    rule = "A-9"
    next_en = "Write the permission from the terms, sign the agreement and send it again."
    next_zh = "请按条款重写许可，签名后重新发送协议。"


class WiderThanAsked(Rule):
    """What you agree to ({what}) is wider than what was asked."""

    zh = "拟同意的内容（{what}）超出申请范围。"
    code = "wider_than_asked"
    status = 400
    rule = "A-1"
    next_en = "Agree to the request or to less of it."
    next_zh = "请按申请范围或更小范围同意。"


class NothingToChoose(Rule):
    """This applicant's node sent no items and no terms, so masks, items and quota cannot be chosen for it."""

    zh = "申请方节点未提交信息项和条款，无法为其选择脱敏方式、信息项和调用限额。"
    code = "nothing_to_choose"
    status = 400
    rule = "D809-20"
    next_en = "Agree to the published offer as it is, ask for the missing material, or refuse."
    next_zh = "请按已发布的要约同意，或者要求补正，或者拒绝。"


class AgreementNotInForce(Rule):
    """The agreement is {state}, so nothing can be delivered under it."""

    zh = "共享协议处于“{state}”状态，不能据此交付。"
    code = "agreement_not_in_force"
    status = 400
    rule = "D809-22"
    next_en = "Conclude the agreement first, or ask for a new one."
    next_zh = "请先完成协议，或重新申请。"


class DeliveryRunning(Rule):
    """A delivery under this agreement is already running: {pid}."""

    zh = "该协议已有正在进行的交付：{pid}。"
    code = "delivery_running"
    status = 409
    rule = "A-6"
    next_en = "Use the running one, or end it first."
    next_zh = "请使用现有交付，或先终止它。"


class UnknownFormat(Rule):
    """The data set is not distributed as {format}."""

    zh = "该数据集不以 {format} 方式提供。"
    code = "unknown_format"
    status = 400
    rule = "A-7"
    next_en = "Take a format from the data set's distributions in the catalog."
    next_zh = "请使用目录中数据集分发方式列出的格式。"


class NotAcknowledged(Refused):
    """The other side has not acknowledged this process yet."""

    zh = "对方尚未确认该流程。"
    code = "not_acknowledged"
    status = 409
    next_en = "Try again when it has answered; the message waits in the outbox until then."
    next_zh = "请待对方答复后再试；在此之前报文保留在发件箱中。"


class NoOfferMade(Rule):
    """An offer must name the data set and say what is missing or offered."""

    zh = "要约应当注明数据集及要约内容或者需补正的材料。"
    code = "no_offer_made"
    status = 400
    rule = "D809-21"
    next_en = "List the missing material, or the terms offered."
    next_zh = "请列明需补正的材料或者提出的条款。"


class SupplementTwice(Rule):
    """What is missing was already listed once; it may not be asked for piece by piece."""

    zh = "需补正的材料应当一次性告知，不得多次要求补正。"
    code = "supplement_twice"
    status = 409
    rule = "D809-21"
    next_en = "Decide on the request as it stands."
    next_zh = "请就现有申请作出决定。"


class NotEncrypted(Refused):
    """Item {item} does not leave encrypted under this agreement, or not 1 to {most} values of it were given."""

    zh = "该协议下信息项 {item} 并非加密提供，或所给值不在 1 至 {most} 个之间。"
    code = "not_encrypted"
    status = 400
    next_en = "Name an item whose mask is encrypt_identity_number or encrypt_credit_code, and few values."
    next_zh = "请指明加密提供的信息项，并减少数量。"
