"""The witness's door (c2sp.org/tlog-witness), the log that knocks at it, and offline proofs."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from django.db import connection

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger import proof as proofs
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.frontier import Frontier
from hutong.ledger.models import ForkEvidence, WitnessedCheckpoint
from hutong.ledger.note import Note, NotSigned
from hutong.ledger.proof import NotInLog, TooFewWitnesses
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import TileFolder
from hutong.ledger.tree import EMPTY_ROOT, ProofRefused, RootHash
from hutong.ledger.trust import TrustedTiles
from hutong.ledger.witness import Answer, Witnesses, add_checkpoint, request, witnessed_checkpoint
from hutong.vocabulary.errors import Unavailable
from tests.ledger_keys import LogKey, log_key

pytestmark = pytest.mark.django_db(transaction=True)
LOG = log_key("hutong/320000")
REGION = log_key("hutong/yrd")
ANHUI = log_key("hutong/340000")
NOW = 1_700_000_000


class Log:
    """A log on disk, signed after each step."""

    def __init__(self, folder: Path, name: str = "entry") -> None:
        self.folder, self.name = folder, name
        self.frontier = Frontier(TileFolder(folder))

    def grow(self, count: int, name: str = "") -> Note:
        size = self.frontier.size
        self.frontier.append([f"{name or self.name} {number}".encode() for number in range(size, size + count)])
        note = checkpoints.sign(Checkpoint(LOG.keyid, self.frontier.size, self.frontier.root), LOG)
        self.folder.mkdir(exist_ok=True)
        Shelf(self.folder).publish(str(note))
        return note

    @property
    def tiles(self) -> TrustedTiles:
        return TrustedTiles(Checkpoint(LOG.keyid, self.frontier.size, self.frontier.root), TileFolder(self.folder).read)

    def request(self, note: Note, old_size: int) -> bytes:
        return request(note, self.tiles, old_size)


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "log")


def submit(body: bytes, witness: LogKey = REGION, time_s: int = NOW) -> Answer:
    return add_checkpoint(
        body, log_keys=lambda origin: [LOG.vkey] if origin == LOG.keyid else [], signer=witness, time_s=time_s
    )


def test_a_first_checkpoint_and_each_that_extends_it_is_cosigned(log):
    for old, count in ((0, 5), (5, 300), (305, 1), (306, 0)):
        note = log.grow(count)
        answer = submit(log.request(note, old))
        assert answer.status == 200, answer.body
        line = notes.parse_signature(answer.body.decode().removesuffix("\n"))
        held = notes.verified(Note(note.text, (line,)), [REGION.vkey.as_witness()])
        assert held[REGION.vkey.as_witness()].time == NOW
    assert WitnessedCheckpoint.objects.get().size == 306


def test_what_was_cosigned_is_served_to_monitors_with_both_signatures(log):
    note = log.grow(3)
    stranger = notes.Signature("stranger", b"1234", b"unknown")
    submit(log.request(note.with_signatures([stranger]), 0))
    served = witnessed_checkpoint(sha256(LOG.keyid.encode()).hexdigest())
    assert served is not None
    held = notes.verified(notes.parse(served), [LOG.vkey, REGION.vkey.as_witness()])
    assert len(held) == 2
    assert "stranger" not in served
    assert witnessed_checkpoint("0" * 64) is None


def test_another_old_size_is_answered_with_the_one_remembered(log):
    submit(log.request(log.grow(5), 0))
    note = log.grow(5)
    for old in (0, 4, 6):
        answer = submit(log.request(note, old))
        assert (answer.status, answer.body, answer.content_type) == (409, b"5\n", "text/x.tlog.size")


def test_a_stranger_or_a_changed_checkpoint_is_refused(log):
    note = log.grow(5)
    unknown = checkpoints.sign(Checkpoint("hutong/990000", 5, log.frontier.root), log_key("hutong/990000"))
    assert submit(log.request(unknown, 0)).status == 404
    forged = checkpoints.sign(Checkpoint(LOG.keyid, 5, log.frontier.root), log_key(LOG.keyid, "forger"))
    assert submit(log.request(forged, 0)).status == 403
    changed = Note(note.text.replace("\n5\n", "\n6\n"), note.signatures)
    assert submit(log.request(changed, 0)).status == 403
    assert not WitnessedCheckpoint.objects.exclude(note="").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body.replace(b"old 0", b"new 0"),
        lambda body: body.replace(b"old 0", b"old 00"),
        lambda body: body.replace(b"old 0", b"old -1"),
        lambda body: body.replace(b"old 0\n", b"old 0\n!!\n"),
        lambda body: body.replace(b"old 0\n", b"old 0\n" + b"AAAA\n" * 64),
        lambda body: body[:-1],
        lambda body: body.replace(b"old 0", b"old 99"),
        lambda body: body + b"x" * 300_000,
        lambda body: body.replace("—".encode(), b"-"),
    ],
)
def test_a_malformed_request_is_a_bad_request(log, change):
    assert submit(change(log.request(log.grow(5), 0))).status == 400


def test_a_proof_that_does_not_hold_is_unprocessable(log):
    submit(log.request(log.grow(5), 0))
    note = log.grow(20)
    right = log.request(note, 5)
    wrong = right.replace(right.split(b"\n")[1], base64.b64encode(bytes(32)))
    assert submit(wrong).status == 422
    assert submit(b"old 5\n\n" + str(note).encode()).status == 422
    assert submit(right).status == 200
    assert submit(b"old 25\n" + base64.b64encode(bytes(32)) + b"\n\n" + str(note).encode()).status == 422


def test_the_first_proof_and_the_empty_trees_root_are_checked(log):
    note = log.grow(2)
    assert submit(b"old 0\n" + base64.b64encode(bytes(32)) + b"\n\n" + str(note).encode()).status == 422
    empty = checkpoints.sign(Checkpoint(LOG.keyid, 0, RootHash(bytes(32))), LOG)
    assert submit(b"old 0\n\n" + str(empty).encode()).status == 422
    empty = checkpoints.sign(Checkpoint(LOG.keyid, 0, EMPTY_ROOT), LOG)
    assert submit(b"old 0\n\n" + str(empty).encode()).status == 200
    assert submit(b"old 0\n\n" + str(note).encode()).status == 200


def test_two_roots_for_one_size_are_kept_as_evidence_once(log, tmp_path):
    submit(log.request(log.grow(5), 0))
    other = Log(tmp_path / "other", "forged")
    forked = other.grow(5)
    for _ in range(2):
        assert submit(other.request(forked, 5)).status == 422
    assert submit(other.request(forked, 0)).status == 409
    evidence = ForkEvidence.objects.get()
    roots = {
        checkpoints.opened(notes.parse(one), [LOG.vkey]).root for one in (evidence.first_note, evidence.second_note)
    }
    assert roots == {log.frontier.root, other.frontier.root}


def test_a_log_gathers_cosignatures_beside_its_checkpoint(log):
    doors = {REGION.keyid: REGION, ANHUI.keyid: ANHUI}
    keys = [key.vkey.as_witness() for key in doors.values()]
    memories: dict[str, int] = {}

    def post(name: str, body: bytes) -> Answer:
        # Two witnesses with one database here: each must remember for itself.
        WitnessedCheckpoint.objects.update(size=memories.get(name, 0))
        if memories.get(name, 0) == 0:
            WitnessedCheckpoint.objects.update(note="")
        answer = submit(body, doors[name])
        if answer.status == 200:
            memories[name] = WitnessedCheckpoint.objects.get().size
        connection.close()
        return answer

    asked = Witnesses(log.folder, post)
    assert asked.ask(keys) == []
    log.grow(5)
    assert [one.state for one in asked.ask(keys[:1])] == ["cosigned"]
    assert [one.state for one in asked.ask(keys[1:])] == ["cosigned"]
    witnessed = Shelf(log.folder).witnessed()
    assert witnessed is not None
    assert len(notes.verified(witnessed, [LOG.vkey, *keys])) == 3
    log.grow(300)
    # A process that remembers nothing asks from size zero, is told 5, and asks again.
    assert [one.state for one in Witnesses(log.folder, post).ask(keys[:1])] == ["cosigned"]
    assert Shelf(log.folder).witness_keys() == keys


def test_what_a_witness_may_answer_is_told_apart(log):
    log.grow(5)
    key = REGION.vkey.as_witness()

    def outcome(answer: Answer | Exception):
        def post(_name: str, _body: bytes) -> Answer:
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Witnesses(log.folder, post).ask([key])[0]

    assert outcome(Unavailable(what="yrd")).state == "unreachable"
    assert outcome(Answer(404, b"unknown")).state == "refused"
    assert outcome(Answer(409, b"9\n")).state == "ahead"
    assert outcome(Answer(409, b"9\n")).alarming
    assert outcome(Answer(409, b"many\n")).state == "refused"
    assert outcome(Answer(422, b"no")).alarming
    assert outcome(Answer(200, b"thanks")).state == "refused"
    foreign = notes.cosign("another text\n", REGION, time_s=NOW).line().encode()
    assert outcome(Answer(200, foreign)).state == "refused"
    assert not outcome(Answer(404, b"unknown")).alarming
    assert Shelf(log.folder).witnessed() is None


def test_a_proof_is_checked_offline_with_its_witnesses(log):
    log.grow(300)
    note = log.grow(1)
    Shelf(log.folder).keep_witnessed(note.with_signatures([notes.cosign(note.text, REGION, time_s=NOW)]))
    log.grow(5)
    witness = REGION.vkey.as_witness()
    text = str(proofs.prove(log.folder, 7, extra=b"entry 7"))
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra ZW50cnkgNw==\nindex 7\n")
    proof = proofs.parse(text)
    assert str(proof) == text
    proven = proofs.check(proof, b"entry 7", [LOG.vkey], [witness], quorum=1)
    assert (proven.index, proven.checkpoint.size, proven.witnesses) == (7, 301, {REGION.keyid: NOW})
    with pytest.raises(ProofRefused):
        proofs.check(proof, b"entry 8", [LOG.vkey])
    with pytest.raises(NotSigned):
        proofs.check(proof, b"entry 7", [ANHUI.vkey])
    with pytest.raises(TooFewWitnesses, match="1 cosignatures"):
        proofs.check(proof, b"entry 7", [LOG.vkey], [witness], quorum=2)
    # The last entries are not witnessed yet: proven against the newest checkpoint.
    newest = proofs.parse(str(proofs.prove(log.folder, 305)))
    assert proofs.check(newest, b"entry 305", [LOG.vkey]).witnesses == {}
    with pytest.raises(NotInLog, match="does not hold entry 306"):
        proofs.prove(log.folder, 306)


@pytest.mark.parametrize(
    ("find", "put"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 2", "index 02"),
        ("index 2", "place 2"),
        ("extra ", "extra !"),
        ("index 2\n", "index 2\nAAAA\n"),
        ("index 2\n", "index 2\n" + base64.b64encode(bytes(32)).decode() + "\n"),
        ("hutong/320000\n5\n", "hutong/320000\n6\n"),
        ("index 2", "index 3"),
    ],
)
def test_a_changed_proof_is_refused(log, find, put):
    log.grow(5)
    text = str(proofs.prove(log.folder, 2, extra=b"entry 2"))
    assert find in text

    def read_and_check(changed: str) -> None:
        proofs.check(proofs.parse(changed), b"entry 2", [LOG.vkey])

    read_and_check(text)
    with pytest.raises(proofs.Refused):
        read_and_check(text.replace(find, put, 1))
