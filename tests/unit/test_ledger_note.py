"""Signed notes, verifier keys, cosignatures and checkpoints."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import note as notes
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.note import BadNote, BadVerifierKey, Note, NotSigned, SignatureFails, VerifierKey
from hutong.ledger.tree import EMPTY_ROOT
from tests.ledger_keys import log_key

# The example of c2sp.org/signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
JIANGSU = log_key("hutong/320000")
ANHUI = log_key("hutong/340000")
CHECKPOINT = Checkpoint("hutong/320000", 0, EMPTY_ROOT)


def test_the_specifications_example_verifies():
    key = VerifierKey.parse(SPEC_KEY)
    assert str(key) == SPEC_KEY
    note = notes.parse(SPEC_NOTE)
    assert str(note) == SPEC_NOTE
    assert list(notes.verified(note, [key])) == [key]


@pytest.mark.parametrize("at", range(0, len(SPEC_NOTE) - 1, 7))
def test_a_changed_character_anywhere_is_refused(at):
    changed = SPEC_NOTE[:at] + ("x" if SPEC_NOTE[at] != "x" else "y") + SPEC_NOTE[at + 1 :]
    with pytest.raises((BadNote, NotSigned, SignatureFails)):
        notes.verified(notes.parse(changed), [VerifierKey.parse(SPEC_KEY)])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "text without signatures\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n— name !!!!\n",
        "text\n\n— name AAAA\n",
        "text\x01\n\n— name AAAAAAAA\n",
        "text\n\n— name AAAAAAAA",
        "text\r\n\n— name AAAAAAAA\n",
        b"\xff\n\n",
        "x" * 600_000,
        "text\n\n" + "— name AAAAAAAA\n" * 101,
    ],
)
def test_what_is_no_note_is_refused(content):
    with pytest.raises(BadNote):
        notes.parse(content)


def test_sixteen_signatures_are_accepted_and_unknown_types_passed_over():
    note = notes.sign("text\n", JIANGSU)
    strange = [notes.Signature(f"stranger/{number}", b"\xff\x00\x01\x02", b"x" * 2420) for number in range(16)]
    many = notes.parse(str(note.with_signatures(strange)))
    assert len(many.signatures) == 17
    assert list(notes.verified(many, [JIANGSU.vkey])) == [JIANGSU.vkey]


def test_a_known_keys_wrong_signature_fails_the_whole_note():
    note = notes.sign("text\n", JIANGSU)
    forged = notes.Signature(ANHUI.vkey.name, ANHUI.vkey.id, b"\x00" * 64)
    with pytest.raises(SignatureFails, match="hutong/340000"):
        notes.verified(note.with_signatures([forged]), [JIANGSU.vkey, ANHUI.vkey])


def test_a_note_nobody_known_has_signed_is_refused():
    with pytest.raises(NotSigned):
        notes.verified(notes.sign("text\n", JIANGSU), [ANHUI.vkey])


def test_a_cosignature_states_its_time_and_holds_only_with_it():
    note = checkpoints.sign(CHECKPOINT, JIANGSU)
    line = notes.cosign(note.text, ANHUI, time_s=1_700_000_000)
    both = notes.parse(str(note.with_signatures([line])))
    held = notes.verified(both, [JIANGSU.vkey, ANHUI.vkey.as_witness()])
    assert held[ANHUI.vkey.as_witness()].time == 1_700_000_000
    later = notes.Signature(line.name, line.key_id, (1_700_000_001).to_bytes(8, "big") + line.value[8:])
    with pytest.raises(SignatureFails):
        notes.verified(note.with_signatures([later]), [JIANGSU.vkey, ANHUI.vkey.as_witness()])


def test_a_cosignature_is_never_taken_for_the_logs_own():
    line = notes.cosign(CHECKPOINT.text, JIANGSU, time_s=1)
    with pytest.raises(NotSigned):
        checkpoints.opened(Note(CHECKPOINT.text, (line,)), [JIANGSU.vkey])


def test_a_newer_cosignature_of_one_witness_replaces_the_older():
    note = checkpoints.sign(CHECKPOINT, JIANGSU)
    for time_s in (1, 2):
        note = note.with_signatures([notes.cosign(note.text, ANHUI, time_s=time_s)])
    assert [one.time for one in note.signatures if one.name == ANHUI.keyid] == [2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY[:-4],
        SPEC_KEY.replace("example", "exa mple"),
        "example.com/foo+530d903a+!!",
        "name+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
    ],
)
def test_a_damaged_verifier_key_is_refused(text):
    with pytest.raises(BadVerifierKey):
        VerifierKey.parse(text)


def test_a_checkpoint_is_read_as_it_was_written():
    note = checkpoints.sign(CHECKPOINT, JIANGSU)
    assert checkpoints.opened(notes.parse(str(note)), [JIANGSU.vkey]) == CHECKPOINT


ROOT = base64.b64encode(EMPTY_ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        "origin\n1\n",
        f"origin\n01\n{ROOT}\n",
        f"origin\n-1\n{ROOT}\n",
        f"origin\n１\n{ROOT}\n",
        f"origin\n{2**63}\n{ROOT}\n",
        f"origin\n1\n{ROOT[:-4]}\n",
        f"\n1\n{ROOT}\n",
        f"origin\n1\n{ROOT}\n\n",
        f"origin\n1\n{ROOT}",
        f"origin\n1\n{ROOT} \n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(BadNote):
        checkpoints.parse(text)


def test_extension_lines_are_kept():
    text = f"origin\n1\n{ROOT}\nmore\n"
    assert checkpoints.parse(text).extensions == ("more",)
    assert checkpoints.parse(text).text == text


def test_a_key_of_another_log_does_not_open_the_checkpoint():
    with pytest.raises(NotSigned):
        checkpoints.opened(notes.sign(CHECKPOINT.text, ANHUI), [ANHUI.vkey])


def test_the_checkpoints_of_a_real_log_verify(real_data):
    folder: Path = real_data / "conformance" / "tlog" / "tessera_log"
    if not folder.is_dir():
        pytest.skip(f"no real log: {folder}")
    key = VerifierKey.parse("example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
    for size in range(16):
        note = notes.parse((folder / f"checkpoint.{size}").read_bytes())
        assert checkpoints.opened(note, [key]) == checkpoints.parse(note.text)
        assert checkpoints.parse(note.text).size == size
