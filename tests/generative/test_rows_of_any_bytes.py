"""Whatever bytes a file holds: rows and line numbers are those of a reader written letter by letter."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from hutong.exchange.sources import rows
from hutong.exchange.sources.encoding import detect, line_blocks
from hutong.exchange.sources.rows import RowReader, SetAside, texts


def physical_lines(text: str) -> list[str]:
    lines, start, place = [], 0, 0
    while place < len(text):
        if text[place] == "\r" and text[place + 1 : place + 2] == "\n":
            place += 1
        place += 1
        if text[place - 1] in "\r\n":
            lines.append(text[start:place])
            start = place
    return lines + ([text[start:]] if start < len(text) else [])


def one_row(lines: list[str], at: int) -> tuple[list[str], int] | None:
    """The row that starts at a line and the line after it, letter by letter; None where its quotes are broken."""
    fields, field, state = [], "", "start"
    for number in range(at, len(lines)):
        body = lines[number].rstrip("\r\n")
        end = lines[number][len(body) :]
        for letter in body:
            if state == "start":
                if letter == '"':
                    state = "quoted"
                elif letter == ",":
                    fields.append(field)
                else:
                    field, state = letter, "plain"
            elif state == "plain":
                if letter == ",":
                    fields.append(field)
                    field, state = "", "start"
                else:
                    field += letter
            elif state == "quoted":
                if letter == '"':
                    state = "quote in quoted"
                else:
                    field += letter
            elif letter == '"':
                field, state = field + '"', "quoted"
            elif letter == ",":
                fields.append(field)
                field, state = "", "start"
            else:
                return None
        if state != "quoted":
            blank = not body and number == at
            return ([] if blank else [*fields, field]), number + 1
        field += end
    return None


def read_plainly(data: bytes, codec: str) -> tuple[list[list[str]], list[tuple[int, str]]]:
    text = "\n".join(line.decode(codec, "surrogateescape") for line in data.split(b"\n")).removeprefix("\ufeff")
    lines = physical_lines(text)
    good: list[list[str]] = []
    aside: list[tuple[int, str]] = []
    width, at = 0, 0
    while at < len(lines):
        found = one_row(lines, at)
        if found is None:
            if not width:
                raise ValueError("the header is broken")
            aside.append((at + 1, "quote"))
            at += 1
            continue
        row, after = found
        whole = "".join(row)
        if row and not width:
            width = len(row)
            good.append(row)
        elif row and any("\ud800" <= letter <= "\udfff" for letter in whole):
            aside.append((at + 1, "encoding"))
        elif row and "\0" in whole:
            aside.append((at + 1, "nul"))
        elif row and len(row) != width:
            aside.append((at + 1, "field_count"))
        elif row:
            good.append(row)
        at = after
    return good, aside


def read_ours(data: bytes, block: int) -> tuple[list[list[str]], list[tuple[int, str]]]:
    def blocks() -> Iterator[bytes]:
        return (data[at : at + block] for at in range(0, len(data), block))

    aside: list[SetAside] = []
    reader = RowReader(texts(line_blocks(blocks()), detect(blocks())), aside.append)
    header = reader.header()
    good = [header] if header else []
    for batch in reader.batches():
        good.extend(batch)
    return good, [(one.line, one.reason) for one in aside]


PIECES = st.sampled_from(
    [
        b"a",
        b"1",
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b'"',
        b'""',
        b'"a"',
        b'"a,\nb"',
        b"\0",
        b"\xff",
        b"\x81",
        b" ",
        "南京".encode(),
        "南京".encode("gb18030"),
        "𠮷".encode("gb18030"),
    ]
)


@given(pieces=st.lists(PIECES, max_size=60), block=st.integers(1, 40))
@example(pieces=[b"a,b\n", b'1,"x\n', b"2,y\n", b"3,z\n"], block=7)
@example(pieces=[b"a\n", b'"', b"\n" * 3], block=2)
@example(pieces=[b"\xef\xbb\xbfa,b\n1,2\n"], block=2)
def test_rows_and_line_numbers_are_those_of_a_reader_written_letter_by_letter(pieces: list[bytes], block: int) -> None:
    data = b"h,k\n" + b"".join(pieces) if not pieces or not pieces[0].startswith((b"a", b"\xef")) else b"".join(pieces)
    codec = "gb18030" if detect([data]) == "gb18030" else "utf-8"
    try:
        expected = read_plainly(data, codec)
    except ValueError:
        return
    header = next((line for line in physical_lines(data.decode(codec, "replace")) if line.strip()), "")
    if "," not in header:  # the product would look for another delimiter; the plain reader knows one
        return
    assert read_ours(data, block) == expected


@given(
    table=st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
            min_size=3,
            max_size=3,
        ),
        max_size=20,
    ),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
)
def test_whatever_is_written_properly_is_read_back(table: list[list[str]], codec: str) -> None:
    import csv
    import io

    sink = io.StringIO(newline="")
    csv.writer(sink, quoting=csv.QUOTE_ALL).writerows([["甲", "乙,", "丙"], *table])
    data = sink.getvalue().encode(codec)
    if codec == "gb18030" and detect([data]) != "gb18030":
        return  # it happens to be UTF-8 as well
    good, aside = read_ours(data, 16)
    assert (good, aside) == ([["甲", "乙,", "丙"], *table], [])


def test_a_quote_that_is_never_closed_costs_one_row_not_the_file() -> None:
    lines = ["a,b", '1,"open'] + [f"{number},x" for number in range(3 * rows.MAX_ROW_LINES)]
    good, aside = read_ours("\n".join(lines).encode(), 1 << 20)
    assert len(good) == 1 + 3 * rows.MAX_ROW_LINES
    assert aside == [(2, "quote")]
