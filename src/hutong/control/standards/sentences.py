"""What standards have to tell people."""

from __future__ import annotations

from hutong.vocabulary.sentences import Sentence


class VersionProposed(Sentence):
    """{by} proposes version {version} of {name}; it waits for your approval."""

    zh = "{by} 提出 {name} 第 {version} 版，待您批准。"
    code = "standard_proposed"


class VersionSentBack(Sentence):
    """{by} sends version {version} of {name} back: {reason}"""

    zh = "{by} 退回 {name} 第 {version} 版：{reason}"
    code = "standard_sent_back"


class RowsWithheld(Sentence):
    """A code map now covers values that had held rows back: under the agreement “{title}”, {exchanges} exchanges can be
    completed."""

    zh = "代码映射已覆盖此前未映射的取值：共享协议“{title}”下有 {exchanges} 次交换的暂留行可以补发。"
    code = "rows_can_be_replayed"
