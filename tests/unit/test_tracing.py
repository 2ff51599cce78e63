"""Marks and canaries: what they do to rows, what they survive, and whom they name."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import unicodedata
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from hutong.exchange import formats
from hutong.exchange.cli import watermark as watermark_command
from hutong.exchange.editions.making import Editions
from hutong.exchange.editions.shelf import Rows, Shelf
from hutong.exchange.grants import Grant, GrantedItem, put
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.grant import BadGrant
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.grants.rules import Allowed, rows_spent
from hutong.exchange.grants.tracing import BadTracing, Tracing
from hutong.exchange.models import Source
from hutong.exchange.outflow import Outflow
from hutong.exchange.query import Query
from hutong.exchange.records import open_rows, sowing
from hutong.exchange.shaping import watermark
from hutong.exchange.shaping.canaries import KINDS, Canaries, originals, sown
from hutong.exchange.shaping.mask_vector import mask_table
from hutong.exchange.shaping.masks import BadMask, Mask, MaskedItem, mark_key
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.shape import shape
from hutong.exchange.sources.parquet import ParquetSource
from hutong.exchange.tracing import Undetectable, canary_values, detect
from hutong.node.keys import seal
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.identifiers import identity_check, read_credit_code, read_identity_number
from tests.spec.five_sources import write_workbook

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
TEXTS = [
    None, "", "王小明", "王**", "王＊＊", "中山路12-3号（东门）", "中山路12-3号(东门)", "a,b", "a，b", "#1＃", "－-－",
    "310***********0017", "e\u0301(", "(\n）", "\U00020bb7(", "'; --",
]  # fmt: skip
CANARIES = {"item": "id", "kind": "identity_number", "count": 5}


def plainly(text: str | None, key: bytes = KEY) -> str | None:
    """In words of plain Python: one width for all of a text's marks, by one bit of a hash of it in half width."""
    import hashlib
    import hmac

    if text is None:
        return None
    pairs = dict(zip("＊（），－＃", "*(),-#", strict=True))
    half = "".join(pairs.get(one, one) for one in text)
    bit = hmac.new(mark_key(key), half.encode(), hashlib.sha256).digest()[0] >> 7
    back = {narrow: wide for wide, narrow in pairs.items()} if bit else {}
    return "".join(back.get(one, one) for one in half)


def test_marks_are_the_same_by_sql_by_arrow_and_in_plain_python(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array(TEXTS, pa.string())})
    pq.write_table(table, tmp_path / "x.parquet")
    items = [MaskedItem("text", Mask("keep"), marked=True)]
    expected = [plainly(text) for text in TEXTS]
    source = ParquetSource(tmp_path / "x.parquet")
    for found in (
        shape(table.to_reader(), items, KEY).read_all(),
        mask_table(table, items, KEY),
        source.read_masked(items, key=KEY).read_all(),
    ):
        assert found.column(0).to_pylist() == expected
        assert found.schema == pa.schema([("text", pa.string())])
    assert any(one != text for one, text in zip(expected, TEXTS, strict=True))


def test_a_mark_changes_nothing_but_the_width_of_a_character() -> None:
    table = pa.table({"text": pa.array(TEXTS, pa.string())})
    found = mask_table(table, [MaskedItem("text", marked=True)], KEY).column(0).to_pylist()
    for text, marked in zip(TEXTS, found, strict=True):
        assert (text is None and marked is None) or unicodedata.normalize("NFKC", text) == unicodedata.normalize(
            "NFKC", marked
        )


def test_marks_go_over_masks_and_need_the_grants_key() -> None:
    table = pa.table({"name": ["王小明", "李四"], "id": ["x", "y"]})
    shown = mask_table(table, [MaskedItem("name", Mask("name"), marked=True)], KEY).column(0).to_pylist()
    assert shown == [plainly("王**"), plainly("李*")]
    for item, key in (
        (MaskedItem("name", Mask("name"), marked=True), None),
        (MaskedItem("name", Mask("pseudonym"), marked=True), KEY),
        (MaskedItem("name", Mask("null"), marked=True), KEY),
    ):
        with pytest.raises(BadMask):
            mask_table(table, [item], key)
        with pytest.raises(BadMask):
            shape(table.to_reader(), [item], key)


def streets(count: int) -> list[str]:
    draw = random.Random(3)
    return [f"第{draw.randrange(10**6)}大街{draw.randrange(99)}号({draw.choice('东南西北')}门)" for _ in range(count)]


def test_the_chance_of_naming_somebody_wrongly_is_bounded_as_said() -> None:
    """400 strangers' keys against a file: none is near the bound; and the bound is above the true tail."""
    from math import comb, log10

    seen = watermark.widths(mask_table(pa.table({"a": streets(600)}), [MaskedItem("a", marked=True)], KEY).column(0))
    assert watermark.matching(seen, mark_key(KEY)) == len(seen)
    strangers = [watermark.log10_chance(watermark.matching(seen, bytes([n % 256, n // 256])), 600) for n in range(400)]
    assert min(strangers) > -5
    for matched in (30, 35, 45, 60):
        exact = sum(comb(60, k) for k in range(matched, 61)) / 2**60
        assert log10(exact) <= watermark.log10_chance(matched, 60) <= 0
    assert watermark.log10_chance(60, 60) == pytest.approx(60 * log10(0.5))


@pytest.mark.parametrize("kind", KINDS)
def test_a_canary_is_valid_in_form_and_impossible_in_fact(kind: str) -> None:
    made = originals(kind, KEY, 300)
    assert len(set(made)) == 300
    assert made[:5] == originals(kind, KEY, 5)
    assert not set(made) & set(originals(kind, OTHER, 300))
    for text in made:
        if kind == "identity_number":
            assert 1860 <= read_identity_number(text).birth.year <= 1889
            assert text.isdigit()
        elif kind == "credit_code":
            assert read_credit_code(text).text == text
            assert text[2:4] == "99"
        else:
            assert len(text) == 11
            assert text.startswith("12")


def test_canaries_are_sown_one_a_batch_with_values_that_are_there() -> None:
    table = pa.table({"id": [f"p{n}" for n in range(40)], "n": [None, *range(39)], "city": ["南京"] * 40})
    made = pa.array(originals("identity_number", KEY, 3))
    batches = list(sown(iter(table.to_batches(max_chunksize=10)), Canaries("id", "identity_number", 3), made, KEY))
    assert [one.num_rows for one in batches] == [11, 11, 11, 10]
    whole = pa.Table.from_batches(batches)
    assert whole.schema == table.schema
    assert [row for row in whole.to_pylist() if row["id"].startswith("p")] == table.to_pylist()
    assert [row["id"] for row in whole.to_pylist() if not row["id"].startswith("p")] == made.to_pylist()
    assert set(whole.column("city").to_pylist()) == {"南京"}
    assert {row["n"] for row in whole.to_pylist()} <= set(table.column("n").to_pylist())


@pytest.mark.parametrize(
    "document",
    [
        None, {}, [], {"watermark": []}, {"watermark": ["a", "a"]}, {"watermark": "a"}, {"watermark": [1]},
        {"secret": True}, {"canaries": None}, {"canaries": {"item": "id", "kind": "identity_number"}},
        {"canaries": {**CANARIES, "kind": "name"}}, {"canaries": {**CANARIES, "count": 0}},
        {"canaries": {**CANARIES, "count": 1_001}}, {"canaries": {**CANARIES, "count": True}},
        {"canaries": {**CANARIES, "item": ""}}, {"canaries": {**CANARIES, "more": 1}},
    ],
)  # fmt: skip
def test_terms_on_tracing_that_are_not_understood_wholly_are_refused(document: Any) -> None:
    with pytest.raises(BadTracing):
        Tracing.from_document(document)


def test_terms_on_tracing_fit_the_masks_or_are_refused() -> None:
    tracing = Tracing.from_document({"watermark": ["name"], "canaries": CANARIES})
    assert Tracing.from_document(tracing.to_document()) == tracing
    tracing.check({"name": "name", "id": "pseudonym"})
    tracing.check({"name": "keep", "id": "encrypt_identity_number"})
    for masks in (
        {"name": "name"}, {"id": "keep"}, {"name": "null", "id": "keep"}, {"name": "pseudonym", "id": "keep"},
        {"name": "name", "id": "identity_number"}, {"name": "name", "id": "null"},
        {"name": "name", "id": "encrypt_credit_code"}, {"name": "name", "id": "sha256_query"},
    ):  # fmt: skip
        with pytest.raises(BadTracing):
            tracing.check(masks)


def test_terms_on_tracing_fit_the_types_where_they_are_known() -> None:
    masks = {"name": "keep", "id": "keep"}
    tracing = Tracing.from_document({"watermark": ["name"], "canaries": CANARIES})
    for types in ({"name": "string", "id": "string"}, {"name": "string", "id": "int64"}):
        tracing.check(masks, types)
    for types in ({"name": "int64", "id": "string"}, {"name": "string", "id": "date"}, {"name": "string"}):
        with pytest.raises(BadTracing):
            tracing.check(masks, types)
    tracing.check({"name": "identity_number", "id": "keep"}, {"name": "int64", "id": "string"})
    codes = Tracing.from_document({"canaries": {"item": "id", "kind": "credit_code", "count": 1}})
    with pytest.raises(BadTracing):
        codes.check(masks, {"name": "string", "id": "int64"})


# Against a database: two recipients of the same rows.

ANHUI, SHANGHAI = (f"urn:uuid:0192f0c1-0000-7000-8000-00000000000{n}" for n in (1, 2))
PERSONS = 1_500


def grant(agreement: str, key: bytes, consumer: str, items: dict[str, Any], tracing: Any, **other: Any) -> Grant:
    now = datetime.now(UTC)
    made: dict[str, Any] = {
        "agreement": agreement, "provider": "320000", "consumer": consumer, "resource": "r", "source": "s",
        "quota_calls": None, "quota_calls_per_day": None, "quota_rows": None, "rate_per_s": None, "where": None,
        "in_force": Ranges(((now - timedelta(days=1), now + timedelta(days=1)),)), "purposes": ("licensing",),
        "pseudonym_key": base64.b64encode(seal(key)).decode(), "tracing": tracing and Tracing.from_document(tracing),
    } | other  # fmt: skip
    return Grant(**made, items=tuple(GrantedItem(name, mask) for name, mask in items.items()))


@pytest.fixture
def served(db, tmp_path):
    """What each recipient gets, as a stream's table, beside the outflow that carried it."""
    draw = random.Random(5)
    table = pa.table(
        {
            "id": [number(draw) for _ in range(PERSONS)],
            "name": [draw.choice("王李张刘陈杨黄赵") + "小" * draw.randrange(1, 3) for _ in range(PERSONS)],
            "street": streets(PERSONS),
            "n": list(range(PERSONS)),
        }
    )
    pq.write_table(table, tmp_path / "persons.parquet")
    location = seal(str(tmp_path / "persons.parquet").encode())
    Source.objects.create(
        id="s",
        department="11320000HTDEM00309",
        name="s",
        kind="parquet",
        location=location,
        checked_at=datetime.now(UTC),
    )
    tracing = {"watermark": ["name", "street"], "canaries": CANARIES}
    keep = {"action": "keep"}
    for agreement, key, consumer, mask in (
        (ANHUI, KEY, "340000", {"action": "encrypt_identity_number", "keeps": "area"}),
        (SHANGHAI, OTHER, "310000", keep),
    ):
        items = {"id": mask, "name": {"action": "name"}, "street": keep, "n": keep}
        put(grant(agreement, key, consumer, items, tracing), "active")
    return {agreement: stream(agreement) for agreement in (ANHUI, SHANGHAI)}


def number(draw: random.Random) -> str:
    """Of nobody: born in the 2040s."""
    body = f"320102{draw.randrange(2040, 2049)}{draw.randrange(1, 13):02d}{draw.randrange(1, 29):02d}"
    body += f"{draw.randrange(1000):03d}"
    return body + identity_check(body)


def stream(agreement: str, limit: int | None = None) -> tuple[pa.Table, Outflow]:
    """The rows as the provider's door streams them."""
    opened = Book().open([agreement], date.today())[agreement]
    query = Query("", agreement, "licensing", "", None, None, limit, None, "")
    reader = open_rows(opened, Allowed(opened.grant.items, None), query)
    further = sowing(opened, query, reader.schema)
    outflow = Outflow(
        reader,
        lambda rows: formats.encode(rows, "arrow"),
        rows_left=PERSONS,
        too_many=lambda: rows_spent(opened.grant, 0),
        further=further,
    )
    sent: list[bytes] = []

    async def carry() -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message["body"])

        assert await outflow.run(receive, send)

    asyncio.run(carry())
    return pa.ipc.open_stream(b"".join(sent)).read_all(), outflow


def test_canaries_count_as_rows_and_cut_no_answer(served) -> None:
    for agreement, (table, outflow) in served.items():
        made = canary_values(Grant.from_document(_document(agreement)))
        assert table.num_rows == PERSONS + 1  # one batch, one canary; the quota was exactly PERSONS
        assert outflow.rows == table.num_rows  # what receipts and meters say is what anyone counts in the answer
        assert set(table.column("id").to_pylist()) & made
    limited, _ = stream(ANHUI, limit=10)
    assert limited.num_rows == 10


def test_a_file_and_a_part_of_it_count_the_rows_that_they_hold(served, tmp_path: Path) -> None:
    """A part that counted its canary as no row would have said which one it is."""
    opened = Book().open([SHANGHAI], date.today())[SHANGHAI]
    query = Query("", SHANGHAI, "licensing", "", None, None, None, None, "")
    reader = open_rows(opened, Allowed(opened.grant.items, None), query)
    editions = Editions(Shelf(tmp_path, 1 << 30))
    with editions.shelf.one_at_a_time(SHANGHAI, "a"):
        rows = Rows(reader, sowing(opened, query, reader.schema))
        whole = editions.shelf.keep(editions.shelf.write(SHANGHAI, "a", "parquet", rows), 0)
    assert whole.rows == pq.read_table(whole.file).num_rows == PERSONS + 1
    assert whole.agreed == PERSONS  # what a quota must have room for
    made = canary_values(Grant.from_document(_document(SHANGHAI)))
    part = editions.part(whole, Predicate("in", "id", tuple(sorted(made))), None)
    assert part.rows == part.agreed == pq.read_table(part.file).num_rows == 1


def _document(agreement: str) -> Any:
    from hutong.exchange.models import Grant as GrantRow

    return GrantRow.objects.get(agreement_id=agreement).document


def test_a_file_names_its_recipient_whatever_is_left_of_it(served, tmp_path: Path) -> None:
    """A tenth of the rows, one column, another order, another name, in any form."""
    whole, _ = served[ANHUI]
    draw = random.Random(9)
    some = sorted(range(whole.num_rows), key=lambda _: draw.random())[:150]
    leaks = {
        "all.csv": whole,
        "some.parquet": whole.take(pa.array(some)),
        "street.csv": whole.take(pa.array(some)).select(["street"]).rename_columns(["地址"]),
        "some.xlsx": whole.take(pa.array(some)).select(["n", "street"]),
        "with-others.csv": pa.concat_tables([whole.take(pa.array(some)), whole.slice(0, 0)]),
    }
    for name, table in leaks.items():
        file = tmp_path / name
        if name.endswith("xlsx"):
            write_workbook(file, [table.column_names, *(list(row.values()) for row in table.to_pylist())])
        else:
            pq.write_table(table, file) if name.endswith("parquet") else pyarrow.csv.write_csv(table, file)
        found = detect(file)
        assert {one.consumer for one in found if one.named} == {"340000"}, name
        strongest = found[0]
        assert (strongest.agreement, strongest.named) == (ANHUI, True)
    assert {one.kind for one in detect(tmp_path / "all.csv") if one.named} == {"watermark", "canaries"}
    assert {one.kind for one in detect(tmp_path / "street.csv") if one.named} == {"watermark"}


def test_rows_whose_texts_were_rewritten_are_named_by_their_canary(served, tmp_path: Path) -> None:
    whole, _ = served[SHANGHAI]
    flat = [unicodedata.normalize("NFKC", one) for one in whole.column("street").to_pylist()]
    pyarrow.csv.write_csv(whole.select(["id", "n"]).append_column("street", pa.array(flat)), tmp_path / "x.csv")
    named = [one for one in detect(tmp_path / "x.csv") if one.named]
    assert [(one.consumer, one.kind) for one in named] == [("310000", "canaries")]


def test_the_rows_before_they_left_name_nobody(served, tmp_path: Path) -> None:
    for file in (tmp_path / "persons.parquet",):
        assert not [one for one in detect(file) if one.named]


def test_two_recipients_who_mix_their_rows_are_both_named(served, tmp_path: Path) -> None:
    halves = pa.concat_tables([served[ANHUI][0].slice(0, 700), served[SHANGHAI][0].slice(700)])
    pyarrow.csv.write_csv(halves.select(["street"]), tmp_path / "x.csv")
    found = {one.consumer: one for one in detect(tmp_path / "x.csv") if one.kind == "watermark"}
    assert found["340000"].named
    assert found["310000"].named


def test_a_file_of_no_known_form_is_refused_and_an_empty_one_names_nobody(served, tmp_path: Path) -> None:
    for name, content in (("x.docx", b"x"), ("x.parquet", b"no"), ("x.arrow", b"no"), ("x.xlsx", b"no")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Undetectable):
            detect(tmp_path / name)
    (tmp_path / "x.csv").write_text("a,b\n")
    assert not [one for one in detect(tmp_path / "x.csv") if one.named]


@pytest.mark.django_db
def test_a_grant_with_terms_on_tracing_that_do_not_fit_its_masks_gives_nothing() -> None:
    put(grant(ANHUI, KEY, "340000", {"name": {"action": "null"}}, {"watermark": ["name"]}), "active")
    with pytest.raises(BadGrant):
        Book().open([ANHUI], date.today())
    for spoiled in ({"tracing": None}, {"tracing": {"watermark": []}}, {"fields": {"name": "1"}}):
        with pytest.raises(BadGrant):
            Grant.from_document({**_document(ANHUI), **spoiled})


def test_the_command_line_says_tracing_as_the_terms_do() -> None:
    import click

    from hutong.control.replies.cli import canaries_of, mask_of

    assert canaries_of("id=identity_number:5") == CANARIES
    assert mask_of("id=encrypt_identity_number:province:sm") == (
        "id", {"action": "encrypt_identity_number", "keeps": "province", "suite": "sm"}
    )  # fmt: skip
    for wrong in ("id", "id=identity_number", "=identity_number:5", "id=identity_number:five"):
        with pytest.raises(click.BadParameter):
            canaries_of(wrong)


def test_the_command_names_the_recipient_and_says_no_value(served, tmp_path: Path) -> None:
    whole, _ = served[ANHUI]
    pyarrow.csv.write_csv(whole.select(["street"]), tmp_path / "found.csv")
    home = [str(current().home), str(tmp_path / "found.csv")]
    done = CliRunner().invoke(watermark_command, ["detect", *home], catch_exceptions=False)
    assert done.output.startswith(f"NAMED: 340000 under {ANHUI}, watermark in column street: 15")
    assert "大街" not in done.output
    found = json.loads(CliRunner().invoke(watermark_command, ["detect", *home, "--json"]).output)["findings"]
    assert [one["consumer"] for one in found if one["named"]] == ["340000"]
    (tmp_path / "found.csv").write_text("street\nx\n")
    assert "Nobody is named" in CliRunner().invoke(watermark_command, ["detect", *home]).output


def test_an_encrypted_column_is_turned_back_at_the_command_line_from_standard_input(served) -> None:
    from hutong.control.agreements.cli import agreement

    home = str(current().home)
    refused = CliRunner().invoke(
        agreement, ["reidentify", home, ANHUI, "--item", "id", "--reason", "x", "--as", "nobody"], input="1\n"
    )
    assert isinstance(refused.exception, NotFound)
