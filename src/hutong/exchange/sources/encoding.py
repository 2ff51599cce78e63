"""Which encoding a text file is in: UTF-8 (with or without its mark) or GB 18030, which includes GBK.

The whole file decides, not its start: a register may begin with a mebibyte of plain digits. UTF-8 is
so redundant that text in GB 18030 is hardly ever valid UTF-8, while the reverse happens often. So the
file is UTF-8 when at least half of its lines with non-ASCII bytes are, and the others are wrong bytes,
not another encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from hutong.exchange.sources.spec import SourceUnreadable

Encoding = Literal["utf-8", "utf-8-sig", "gb18030"]
MARK = b"\xef\xbb\xbf"
MAX_LINE_BYTES = 16 << 20  # a longer line is not a table; owner: this module
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 and UTF-32


def detect(blocks: Iterable[bytes]) -> Encoding:
    """The encoding of a file, from all of its bytes.

    raises   SourceUnreadable for UTF-16 and UTF-32
    """
    right = wrong = 0
    marked = False
    for number, whole in enumerate(line_blocks(blocks)):
        if number == 0:
            if whole.startswith(WIDE_MARKS):
                raise SourceUnreadable(
                    kind="csv",
                    reason="it is in UTF-16; save it as UTF-8 or GB 18030",
                    reason_zh="编码为 UTF-16，请另存为 UTF-8 或 GB 18030",
                )
            marked = whole.startswith(MARK)
        if whole.isascii():
            continue
        block_right, block_wrong = _count_lines(whole)
        right, wrong = right + block_right, wrong + block_wrong
    if marked:
        return "utf-8-sig"
    return "utf-8" if right >= wrong else "gb18030"


def line_blocks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after a line feed instead of anywhere.

    A line feed is never the second byte of a character, neither in UTF-8 nor in GB 18030.
    """
    kept: list[bytes] = []
    for block in blocks:
        cut = block.rfind(b"\n") + 1
        if not cut:
            kept.append(block)
            if sum(map(len, kept)) > MAX_LINE_BYTES:
                raise SourceUnreadable(
                    kind="csv",
                    reason=f"a line is longer than {MAX_LINE_BYTES} bytes",
                    reason_zh=f"有一行超过 {MAX_LINE_BYTES} 字节",
                )
            continue
        kept.append(block[:cut])
        yield b"".join(kept)
        kept = [block[cut:]] if cut < len(block) else []
    if kept:
        yield b"".join(kept)


def _count_lines(block: bytes) -> tuple[int, int]:
    """How many lines with non-ASCII bytes are UTF-8, and how many are not."""
    lines = [line for line in block.split(b"\n") if not line.isascii()]
    try:
        block.decode("utf-8")
        return len(lines), 0
    except UnicodeDecodeError:
        right = wrong = 0
    for line in lines:
        try:
            line.decode("utf-8")
            right += 1
        except UnicodeDecodeError:
            wrong += 1
    return right, wrong
