"""`hutong ledger`: verify, prove, check, checkpoint, reconcile. All work from files; reconcile also asks a peer."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from hutong.ledger import entries, pages
from hutong.ledger import proof as proofs
from hutong.ledger import verify as verification
from hutong.ledger.folder_log import FolderLog
from hutong.ledger.note import VerifierKey
from hutong.ledger.reconcile import PageAfter, Reconciliation, reconcile
from hutong.ledger.shelf import CHECKPOINT, Shelf
from hutong.terminal import AS_JSON, language, print_json
from hutong.vocabulary.errors import NotFound

FOLDER = click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
KEYS = click.option("--key", "keys", metavar="VKEY", multiple=True, help="A verifier key you trust; may be repeated.")


@click.group()
def ledger() -> None:
    """The node's log: verify it, prove an entry, reconcile with another node.

    DIR is a node's folder, or a ledger folder by itself.
    """


@ledger.command()
@FOLDER
@KEYS
@AS_JSON
def verify(folder: Path, keys: tuple[str, ...], as_json: bool) -> None:
    """Verify every entry, tile and signature from the files alone. Changes nothing.

    Without --key the keys kept beside the log are believed: damage is found, a forger who also changed them is not.

      hutong ledger verify ./jiangsu --key 'hutong/320000+…'
    """
    audit = verification.verify_files(_ledger_folder(folder), [VerifierKey.parse(key) for key in keys])
    if as_json:
        print_json(_audit_document(audit))
    else:
        _print_audit(audit, trusted=bool(keys))
    sys.exit(0 if audit.holds else 1)


@ledger.command()
@FOLDER
@click.option("--entry", "index", type=int, metavar="N", help="By its place in the log.")
@click.option("--digest", metavar="SHA256", help="By its digest, as receipts and pages show it.")
@click.option("--exchange", metavar="UUID", help="The last receipt of an exchange.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of printing.")
def prove(folder: Path, index: int | None, digest: str | None, exchange: str | None, out: Path | None) -> None:
    """Make a proof (c2sp.org/tlog-proof@v1) that an entry is in the log; the entry itself goes along as `extra`.

    hutong ledger prove ./jiangsu --exchange 01938f6e-… --out receipt.tlog-proof
    """
    ledger_folder = _ledger_folder(folder)
    if sum(one is not None for one in (index, digest, exchange)) != 1:
        raise click.UsageError("name the entry by one of --entry, --digest, --exchange")
    if digest is not None:
        index = entries.find_digest(ledger_folder, digest).index
    elif exchange is not None:
        found = entries.find_exchange(ledger_folder, exchange)
        if not found:
            size = entries.signed_size(ledger_folder)
            raise proofs.NotInLog(size=size, what=f"exchange {exchange}", what_zh=f"交换 {exchange}")
        index = found[-1].index
    text = str(proofs.prove(ledger_folder, index or 0, extra=entries.entry_at(ledger_folder, index or 0)))
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(_say(f"entry {index} is proven in {out}", f"第 {index} 条的证明已写入 {out}"))


@ledger.command()
@click.argument("proof", type=click.File("rb"))
@click.option("--key", "keys", metavar="VKEY", multiple=True, required=True, help="The log's verifier key.")
@click.option("--witness", "witnesses", metavar="VKEY", multiple=True, help="A witness you trust; may be repeated.")
@click.option("--quorum", type=int, default=0, help="How many of those must have cosigned.")
def check(proof: Any, keys: tuple[str, ...], witnesses: tuple[str, ...], quorum: int) -> None:
    """Check a proof made by `prove`, offline, and print the entry it proves.

    hutong ledger check receipt.tlog-proof --key 'hutong/320000+…'
    """
    given = proofs.parse(proof.read().decode("utf-8", "replace"))
    witness_keys = [VerifierKey.parse(key).as_witness() for key in witnesses]
    log_keys = [VerifierKey.parse(key) for key in keys]
    proven = proofs.check(given, given.extra, log_keys, witness_keys, quorum=quorum)
    names = ", ".join(proven.witnesses) or "-"
    click.echo(given.extra.decode("utf-8", "replace"))
    origin, size = proven.checkpoint.origin, proven.checkpoint.size
    english = f"entry {proven.index} of {origin}, size {size}; witnesses: {names}"
    click.echo(_say(english, f"{origin} 第 {proven.index} 条，规模 {size}；见证方：{names}"), err=True)


@ledger.command()
@FOLDER
@click.option("--witnessed", is_flag=True, help="The newest one that witnesses have cosigned.")
def checkpoint(folder: Path, witnessed: bool) -> None:
    """Print the newest signed checkpoint."""
    shelf = Shelf(_ledger_folder(folder))
    note = shelf.witnessed() if witnessed else shelf.checkpoint()
    if note is None:
        raise NotFound(what="checkpoint", name=str(folder))
    click.echo(str(note), nl=False)


@ledger.command(name="reconcile")
@FOLDER
@click.argument("peer")
@click.option(
    "--folder",
    "peer_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the peer's log from a copy of its ledger folder, not from the peer.",
)
@click.option("--key", "keys", metavar="VKEY", multiple=True, help="With --folder: the peer's verifier key.")
@click.option("--since", default="", metavar="TIME", help="Only exchanges from then on: 2026-09-01T00:00:00Z")
@AS_JSON
def reconcile_command(
    *, folder: Path, peer: str, peer_folder: Path | None, keys: tuple[str, ...], since: str, as_json: bool
) -> None:
    """Compare all exchanges with PEER in both ledgers. Names each that is one-sided or altered. Changes nothing.

    The peer's receipts count only if they stand under a checkpoint its log has signed.

      hutong ledger reconcile ./anhui 320000
    """
    ours = _ledger_folder(folder)
    if peer_folder is not None:
        us = entries.signed_origin(ours).rpartition("/")[2]
        log = FolderLog(_ledger_folder(peer_folder), us, tuple(VerifierKey.parse(key) for key in keys))
        found = reconcile(peer, _watched(pages.reader(ours, peer)), log, since=since)
    else:
        _start_node(folder)
        from hutong.ledger import daily

        found = daily.reconcile_with(peer, since=since, watch=_watched)
    if as_json:
        print_json(_reconciliation_document(found))
    else:
        _print_reconciliation(found)
    sys.exit(0 if found.holds else 1)


def _watched(page_after: PageAfter) -> PageAfter:
    """On a terminal: how far our own log is read, and the peer's with it, by time. Twice where they differ."""
    if not sys.stderr.isatty():
        return page_after

    def page(after: int) -> pages.Page:
        one = page_after(after)
        click.echo(f"\r\x1b[K{one.after + 1:,} / {one.size:,}\r", nl=False, err=True)
        return one

    return page


def _ledger_folder(folder: Path) -> Path:
    """raises   NotFound where no log has been begun"""
    for place in (folder / "ledger", folder):
        if (place / CHECKPOINT).is_file():
            return place
    raise NotFound(what="log", name=str(folder))


def _start_node(folder: Path) -> None:
    import django

    os.environ["HUTONG_HOME"] = str(folder.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "hutong.node.django_settings"
    django.setup()


def _print_audit(audit: verification.Audit, *, trusted: bool) -> None:
    if audit.checkpoint:
        size, origin = audit.checkpoint.size, audit.checkpoint.origin
        click.echo(_say(f"{origin}: {size} entries", f"{origin}：共 {size} 条"))
        names = ", ".join(audit.witnesses) or "-"
        click.echo(_say(f"witnessed to {audit.witnessed_size} by {names}", f"见证至 {audit.witnessed_size}：{names}"))
    for fault in audit.faults:
        place = "" if fault.entry is None else f" [{fault.entry}]"
        click.echo(f"{fault.file}{place}: {_say(fault.what, fault.what_zh)}")
    if not audit.holds:
        first = "-" if audit.first_bad_entry is None else audit.first_bad_entry
        click.echo(_say(f"the log does NOT hold; first bad entry: {first}", f"日志核验不通过；首个问题条目：{first}"))
        return
    click.echo(_say("every entry, tile and signature holds", "全部条目、文件和签名均核验通过"))
    if not trusted:
        click.echo(_say("(by the keys kept beside it; name yours with --key)", "（依据随附公钥；可用 --key 指定）"))


def _print_reconciliation(found: Reconciliation) -> None:
    for one in found.differences:
        places = f"{'-' if one.ours is None else one.ours} / {'-' if one.theirs is None else one.theirs}"
        click.echo(f"{one.exchange}  {one.kind}  [{places}]  {_say(one.what, one.what_zh)}")
    if found.behind:
        english = f"{found.peer} signed {found.behind} more entries before than it shows now"
        click.echo(_say(english, f"{found.peer} 先前签署的条目比现在多 {found.behind} 条"))
    english = f"{found.agreed} exchanges agree, {len(found.differences)} differ, {found.unanswered} were never answered"
    zh = f"{found.agreed} 笔一致，{len(found.differences)} 笔有出入，{found.unanswered} 笔未获应答"
    click.echo(_say(f"{english}, {found.pending} are too young to judge", f"{zh}，{found.pending} 笔尚在进行"))


def _audit_document(audit: verification.Audit) -> dict[str, Any]:
    return {
        "holds": audit.holds,
        "origin": audit.checkpoint.origin if audit.checkpoint else None,
        "size": audit.checkpoint.size if audit.checkpoint else None,
        "witnesses": audit.witnesses,
        "witnessed_size": audit.witnessed_size,
        "first_bad_entry": audit.first_bad_entry,
        "faults": [asdict(fault) for fault in audit.faults],
    }


def _reconciliation_document(found: Reconciliation) -> dict[str, Any]:
    return {**asdict(found), "holds": found.holds}


def _say(english: str, chinese: str) -> str:
    """In the language of the terminal."""
    return chinese if language() == "zh" else english
