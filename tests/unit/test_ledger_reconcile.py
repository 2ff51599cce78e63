"""Two ledgers side by side: what agrees, what only one side has, what was altered, what is not proven."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import pages
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.entries import Logged, find_exchange
from hutong.ledger.folder_log import FolderLog
from hutong.ledger.frontier import Frontier
from hutong.ledger.note import NotSigned
from hutong.ledger.pages import Page
from hutong.ledger.receipt import BadReceipt, Receipt
from hutong.ledger.reconcile import LogForked, reconcile
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.trust import TileRefused
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import BadInput
from tests.ledger_keys import LogKey, log_key

JIANGSU, ANHUI = log_key("hutong/320000"), log_key("hutong/340000")
NOW = datetime(2026, 9, 21, 15, 0, tzinfo=UTC)
LONG_AGO, JUST_NOW = "2026-09-21T14:00:00.000Z", "2026-09-21T14:59:30.000Z"

SERVED = Receipt(
    role="provider",
    exchange="01938f6e-2b1c-7000-8000-000000000001",
    at=LONG_AGO,
    agreement="urn:uuid:01938f6e-2b1c-7000-8000-0000000000a1",
    provider="320000",
    consumer="340000",
    purpose="medical_settlement",
    case="hmac-sha256:" + "a" * 64,
    request="sha256:" + "b" * 64,
    response="sha256:" + "c" * 64,
    rows=3,
    bytes=99,
    outcome="served",
)


def consumers(given: Receipt, **changes) -> Receipt:
    """The consumer's receipt that fits the provider's."""
    return replace(given, **{"role": "consumer", "peer_receipt": given.digest(), **changes})


class Ledger:
    def __init__(self, folder: Path, key: LogKey) -> None:
        self.folder, self.key = folder, key
        self.frontier = Frontier(TileFolder(folder))
        self.add()

    def add(self, *entries: Receipt | bytes) -> None:
        self.frontier.append([one.to_entry() if isinstance(one, Receipt) else one for one in entries])
        self.folder.mkdir(exist_ok=True)
        shelf = Shelf(self.folder)
        shelf.keep_log_key(self.key.vkey)
        checkpoint = Checkpoint(self.key.keyid, self.frontier.size, self.frontier.root)
        shelf.publish(str(checkpoints.sign(checkpoint, self.key)))


@pytest.fixture
def jiangsu(tmp_path):
    return Ledger(tmp_path / "320000", JIANGSU)


@pytest.fixture
def anhui(tmp_path):
    return Ledger(tmp_path / "340000", ANHUI)


def compare(ours: Ledger, theirs: Ledger, **more):
    us, peer = ours.key.keyid.rpartition("/")[2], theirs.key.keyid.rpartition("/")[2]
    log = FolderLog(theirs.folder, us, (theirs.key.vkey,))
    return reconcile(peer, pages.reader(ours.folder, peer), log, now=NOW, **more)


def both_ways(jiangsu: Ledger, anhui: Ledger):
    return compare(jiangsu, anhui), compare(anhui, jiangsu)


def numbered(number: int, **changes) -> Receipt:
    return replace(SERVED, exchange=f"01938f6e-2b1c-7000-8000-{number:012d}", **changes)


def test_a_receipt_is_canonical_json_and_only_that_is_read_back():
    entry = SERVED.to_entry()
    members = {name: getattr(SERVED, name) for name in SERVED.__slots__ if name not in ("withheld", "positions")}
    assert entry == canonical_bytes(members | {"v": 1, "kind": "exchange"})
    assert Receipt.from_entry(entry) == SERVED
    left_behind = replace(SERVED, withheld={"sex": 2, "nation": 1})
    assert left_behind.to_entry() == canonical_bytes(
        members | {"v": 1, "kind": "exchange", "withheld": {"nation": 1, "sex": 2}}
    )
    assert Receipt.from_entry(left_behind.to_entry()) == left_behind
    batch = replace(SERVED, form="events", positions=(3, 6))
    assert batch.to_entry() == canonical_bytes(
        members | {"v": 1, "kind": "exchange", "form": "events", "positions": [3, 6]}
    )
    assert Receipt.from_entry(batch.to_entry()) == batch
    for wrong in (
        entry.replace(b'"v":1', b'"v":1,"withheld":{}'),
        entry.replace(b'"v":1', b'"v":1,"withheld":{"sex":0}'),
        entry.replace(b'"v":1', b'"v":1,"withheld":{"sex":"M"}'),
        entry.replace(b'"v":1', b'"v":1,"withheld":[1]'),
        b"",
        b"[]",
        entry[:-1],
        entry.replace(b'"v":1', b'"v":2'),
        entry.replace(b'"rows":3', b'"rows":-3'),
        entry.replace(b'"rows":3', b'"rows":true'),
        entry.replace(b'"rows":3', b'"rows": 3'),
        entry.replace(b'"rows":3', b'"lines":3'),
        entry.replace(b'"code":""', b'"code":null'),
        entry.replace(b"served", b"stolen"),
        entry.replace(b'"role":"provider"', b'"role":"thief"'),
    ):
        with pytest.raises(BadReceipt):
            Receipt.from_entry(wrong)


def test_two_equal_ledgers_agree_from_both_sides(jiangsu, anhui):
    given = [numbered(number) for number in range(700)]
    other = replace(SERVED, consumer="330000", exchange="01938f6e-2b1c-7000-8000-00000000ffff")
    jiangsu.add(b'{"kind":"agreement.signed"}', *given, other)
    anhui.add(*[consumers(one) for one in reversed(given)])
    for found in both_ways(jiangsu, anhui):
        assert found.holds
        assert (found.agreed, found.pending, found.unanswered) == (700, 0, 0)


# provider's outcomes in order | consumer's outcomes in order | told
STORIES = """
served        | served        | agreed
open served   | open served   | agreed
open served   | recovered     | agreed
open served   | open recovered| agreed
open cut      | open cut      | agreed
open cut      | open          | agreed
open          | open cut      | agreed
open cut      | recovered     | agreed
refused       | refused       | agreed
open served   | open cut      | differing
open cut      | open served   | differing
open          | open served   | differing
refused       | served        | differing
served        | -             | one_sided
open cut      | -             | one_sided
-             | served        | one_sided
-             | open cut      | unanswered
-             | refused       | unanswered
"""


@pytest.mark.parametrize("story", STORIES.strip().splitlines())
def test_each_pair_of_stories_is_told_as(jiangsu, anhui, story):
    provider, consumer, told = ([] if part.strip() == "-" else part.split() for part in story.split("|"))
    empty = {"response": "", "rows": 0, "bytes": 0}
    given = [replace(SERVED, outcome=one, **({} if one == "served" else empty)) for one in provider]
    jiangsu.add(*given)
    for one in consumer:
        quoted = given[-1].digest() if given and one in ("served", "recovered", "refused") else ""
        counts = {} if one == "served" or (one == "recovered" and provider[-1] == "served") else empty
        anhui.add(replace(SERVED, role="consumer", outcome=one, peer_receipt=quoted, **counts))
    for found in both_ways(jiangsu, anhui):
        seen = [one.kind for one in found.differences] or ["agreed"] * found.agreed or ["unanswered"] * found.unanswered
        assert seen == told


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("agreement", "urn:uuid:other"),
        ("purpose", "curiosity"),
        ("case", "hmac-sha256:" + "0" * 64),
        ("request", "sha256:" + "0" * 64),
        ("response", "sha256:" + "0" * 64),
        ("rows", 4),
        ("bytes", 100),
        ("form", "csv"),
        ("peer_receipt", "sha256:" + "0" * 64),
    ],
)
def test_an_altered_receipt_is_named_with_the_member_that_differs(jiangsu, anhui, member, value):
    jiangsu.add(SERVED, numbered(2))
    anhui.add(consumers(SERVED, **{member: value}), consumers(numbered(2)))
    for found in both_ways(jiangsu, anhui):
        assert found.agreed == 1
        (difference,) = found.differences
        assert (difference.exchange, difference.kind, difference.members) == (SERVED.exchange, "altered", (member,))


def test_both_sides_claiming_one_role_is_an_alteration(jiangsu, anhui):
    jiangsu.add(SERVED)
    anhui.add(SERVED)  # stands in Anhui's log, and is no receipt of Anhui's with Jiangsu
    assert [one.kind for one in compare(jiangsu, anhui).differences] == ["one_sided"]
    anhui.add(replace(SERVED, provider="340000", consumer="320000"))
    (difference,) = compare(jiangsu, anhui).differences
    assert (difference.kind, difference.members) == ("altered", ("role",))


def test_an_exchange_of_this_moment_is_not_judged_yet(jiangsu, anhui):
    jiangsu.add(replace(SERVED, at=JUST_NOW))
    found = compare(jiangsu, anhui)
    assert (found.pending, found.differences) == (1, [])


def test_older_exchanges_can_be_left_out(jiangsu, anhui):
    jiangsu.add(SERVED)
    assert compare(jiangsu, anhui, since="2026-09-21T14:30:00Z").holds
    assert not compare(jiangsu, anhui, since="2026-09-21T13:30:00Z").holds


def test_a_repeated_exchange_is_compared_with_the_receipt_that_the_consumer_quotes(jiangsu, anhui):
    again = replace(SERVED, rows=4, response="sha256:" + "d" * 64)
    jiangsu.add(SERVED, again)
    anhui.add(consumers(SERVED))
    assert compare(anhui, jiangsu).holds


class Dishonest(FolderLog):
    """A peer whose list of receipts says something else than its log."""

    def page(self, after: int) -> Page:
        page = super().page(after)
        told = [
            Logged(one.index, replace(Receipt.from_entry(one.entry), rows=4).to_entry()) if one.index == 1 else one
            for one in page.entries
        ]
        return replace(page, entries=tuple(told))


def test_a_receipt_that_is_not_in_the_peers_log_is_not_believed(jiangsu, anhui):
    jiangsu.add(b"first", SERVED)
    anhui.add(consumers(SERVED))
    log = Dishonest(jiangsu.folder, "340000", (JIANGSU.vkey,))
    found = reconcile("320000", pages.reader(anhui.folder, "320000"), log, now=NOW)
    (difference,) = found.differences
    assert (difference.kind, difference.theirs) == ("unproven", 1)
    assert "not entry 1 of its own log" in difference.what


def test_a_peer_whose_tiles_or_signature_do_not_hold_is_not_compared(jiangsu, anhui):
    jiangsu.add(SERVED)
    with pytest.raises(NotSigned):
        reconcile(
            "320000", pages.reader(anhui.folder, "320000"), FolderLog(jiangsu.folder, "340000", (ANHUI.vkey,)), now=NOW
        )
    tile = jiangsu.folder / "tile" / "0" / "000.p" / "1"
    tile.write_bytes(bytes(32))
    with pytest.raises(TileRefused):
        compare(anhui, jiangsu)


def test_a_peer_that_rewrote_what_we_witnessed_is_a_fork_and_both_notes_are_kept(jiangsu, anhui, tmp_path):
    jiangsu.add(SERVED)
    known = Shelf(jiangsu.folder).checkpoint_text()
    rewritten = Ledger(tmp_path / "rewritten", JIANGSU)
    rewritten.add(replace(SERVED, rows=4), b"more")
    kept: list[tuple[str, str, str]] = []
    with pytest.raises(LogForked):
        compare(anhui, rewritten, known_checkpoint=known, on_fork=lambda *fork: kept.append(fork))
    assert kept == [("hutong/320000", known, Shelf(rewritten.folder).checkpoint_text())]


def test_a_peer_that_shows_less_than_it_signed_does_not_hold(jiangsu, anhui, tmp_path):
    jiangsu.add(SERVED, b"more")
    known = Shelf(jiangsu.folder).checkpoint_text()
    older = Ledger(tmp_path / "older", JIANGSU)
    older.add(SERVED)
    anhui.add(consumers(SERVED))
    found = compare(anhui, older, known_checkpoint=known)
    assert (found.behind, found.holds, found.differences) == (1, False, [])
    assert compare(anhui, jiangsu, known_checkpoint=known).holds


def test_a_receipt_that_follows_when_both_had_told_alike_is_judged_with_those_before_it(jiangsu, anhui):
    jiangsu.add(SERVED)
    anhui.add(consumers(SERVED))
    begun = (1, 1)  # entries of each log when it was compared before
    jiangsu.add(replace(SERVED, at="2026-09-21T14:10:00.000Z"))
    for start in ((0, 0), begun):
        for found in (compare(anhui, jiangsu, start=start), compare(jiangsu, anhui, start=start)):
            assert (found.agreed, found.differences) == (1, [])
    anhui.add(consumers(SERVED, at="2026-09-21T14:20:00.000Z", rows=4))
    (difference,) = compare(anhui, jiangsu, start=begun).differences
    assert (difference.kind, difference.members) == ("altered", ("rows",))


def test_receipts_come_in_pages_that_go_on_where_the_last_ended(jiangsu):
    jiangsu.add(b"other", *[numbered(number) for number in range(30)])
    first = pages.page(jiangsu.folder, "340000", limit=20)
    assert (len(first.entries), first.after, first.is_last) == (20, 20, False)
    second = pages.page(jiangsu.folder, "340000", after=first.after, limit=20)
    assert (len(second.entries), second.after, second.is_last) == (10, 30, True)
    assert pages.page(jiangsu.folder, "340000", after=second.after) == replace(second, entries=())
    assert Page.from_document(second.document()) == second
    for wrong in (None, [], {}, second.document() | {"after": "1"}, second.document() | {"entries": [{"index": 1}]}):
        with pytest.raises(BadInput):
            Page.from_document(wrong)


def test_every_receipt_of_one_exchange_is_found(jiangsu):
    jiangsu.add(replace(SERVED, outcome="open"), numbered(2), SERVED)
    assert [one.index for one in find_exchange(jiangsu.folder, SERVED.exchange)] == [0, 2]
    assert find_exchange(jiangsu.folder, "unknown") == []
