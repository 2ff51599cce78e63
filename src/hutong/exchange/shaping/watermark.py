"""A recipient's mark in the rows it gets: which of two written forms a text has, full width or half width.

`*` and `＊`, `(` and `（` and the others of HALF and FULL are the same character in two widths (NFKC makes one of the
other); in which of them a text is written says nothing of anybody. A text that holds any of them is written in all half
or all full width, as one bit of a keyed hash of the text itself decides. Only those items bear a mark that the
agreement names, and every masked name or number has stars.

The bit depends on the key and the text alone. So it survives any choice of rows, any choice of columns that leaves one
marked item, any order, joins with other data, and a change of some of the values. It does not survive rewriting the
texts in one width: then canaries are left.

Whoever has the file and the agreements' keys compares the widths with the bits. For a key the file was not made with,
the bits are independent coins, whatever the file holds; so of n different texts at least k match with a probability of
at most exp(-n D), D = ln 2 + q ln q + (1 - q) ln (1 - q), q = k / n > 1/2 (Chernoff). That is the bound on naming the
wrong recipient; it is multiplied by the number of keys and columns tried.

After Li, Swarup, Jajodia (fingerprints in relational data by keyed choice per value) and Rizzo, Bertini, Montesi
(content-preserving text watermarking by equivalent Unicode characters, 2016).
"""

from __future__ import annotations

import hmac
import math
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
from sqlglot import exp

from hutong.exchange.shaping.mask_sql import pseudonym

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

HALF: Final = "*(),-#"
FULL: Final = "＊（），－＃"
BEARS: Final = r"[*(),#-]"  # a text in half width that has a character of HALF
TO_HALF: Final = str.maketrans(FULL, HALF)
TO_FULL: Final = str.maketrans(HALF, FULL)
ENOUGH: Final = 20_000  # different texts of a column; more tell nothing new


def marked_sql(text: exp.Expr, key: bytes) -> exp.Expr:
    """A text in the width its bit says. `key` is masks.mark_key of the grant's."""
    half = _call("translate", text, FULL, HALF)
    wide = exp.GTE(this=_call("left", pseudonym(half, key), 1), expression=exp.Literal.string("8"))
    bears = _call("regexp_matches", half, BEARS)
    return exp.Case(
        ifs=[exp.If(this=exp.And(this=bears, expression=wide), true=_call("translate", half, HALF, FULL))],
        default=half.copy(),
    )


def marked(texts: Any, key: bytes) -> Any:
    """The same for an Arrow array or chunked array."""
    known = pc.unique(texts)
    made = [None if text is None else _marked(text, key) for text in known.to_pylist()]
    return pa.array(made, pa.string()).take(pc.index_in(texts, value_set=known))


def _marked(text: str, key: bytes) -> str:
    half = text.translate(TO_HALF)
    return half.translate(TO_FULL) if _is_wide(half, key) else half


def _is_wide(half: str, key: bytes) -> bool:
    return hmac.digest(key, half.encode("utf-8"), "sha256")[0] >= 0x80


def widths(texts: Any) -> dict[str, bool]:
    """The different texts of a column that bear a mark, in half width: whether it was written in full width.

    Texts with both widths in one are left out, and so are those beyond ENOUGH.
    """
    found: dict[str, bool] = {}
    for text in pc.unique(texts).to_pylist():
        half = "" if text is None else text.translate(TO_HALF)
        wide = half.translate(TO_FULL)
        if half != wide and text in (half, wide) and len(found) < ENOUGH:
            found[half] = text == wide
    return found


def matching(seen: dict[str, bool], key: bytes) -> int:
    """How many of them are as this key has them."""
    return sum(_is_wide(half, key) == wide for half, wide in seen.items())


def log10_chance(matches: int, of: int) -> float:
    """The bound above, as a power of ten: 0.0 where no more match than coins would."""
    share = matches / of if of else 0.0
    if share <= 0.5:
        return 0.0
    rest = (1 - share) * math.log(1 - share) if share < 1 else 0.0
    return -of * (math.log(2) + share * math.log(share) + rest) / math.log(10)


def _call(name: str, *arguments: exp.Expr | str | int) -> exp.Expr:
    trees = [
        exp.Literal.string(one) if isinstance(one, str) else exp.Literal.number(one) if isinstance(one, int) else one
        for one in arguments
    ]
    return exp.Anonymous(this=name, expressions=[tree.copy() for tree in trees])
