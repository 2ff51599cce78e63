"""`hutong drop`: an agreement's rows delivered into a folder, for consumers that read files and call nothing.

    INTO/<agreement>/<version>/rows.parquet      what the agreement gave
    INTO/<agreement>/<version>/manifest.json     digest, counts, the provider's signature over them, the receipt
    INTO/<agreement>/newest                      the number of the newest complete version

A version's folder appears whole, by one rename. What was fetched before a cut or a kill is kept and continued.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from hutong.client import Connection, FileReading
from hutong.exchange.cli import MEDIA_TYPES, address
from hutong.ledger.whole import put_whole
from hutong.terminal import FOLDER
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of

MANIFEST = "manifest.json"
PARTIAL = ".part"
PIECE = 1 << 20


class BadDelivery(Refused):
    """The delivery in {folder} is not what its provider signed: {reason}."""

    zh = "{folder} 中的交付与提供方签名不符：{reason}。"
    code = "bad_delivery"
    status = 422
    next_en = "Do not use it. Delete the folder and have it delivered again: hutong drop fetch"
    next_zh = "请勿使用。删除该文件夹后重新交付：hutong drop fetch"


@click.group()
def drop() -> None:
    """An agreement's rows as files in a folder, with a signed manifest."""


@drop.command("fetch")
@click.argument("node", metavar="DIR|URL")
@click.argument("agreement")
@click.argument("into", type=click.Path(file_okay=False, path_type=Path))
@click.option("--key", envvar="HUTONG_KEY", required=True, help="API key; or in the environment as HUTONG_KEY.")
@click.option("--purpose", required=True, help="The agreed purpose's code.")
@click.option("--case", required=True, help="Your case number; the provider sees a keyed digest of it.")
@click.option("--form", type=click.Choice(["parquet", "arrow"]), default="parquet", show_default=True)
def fetch(node: str, agreement: str, into: Path, *, key: str, purpose: str, case: str, form: str) -> None:
    """Deliver the newest version into a folder, unless it is there already. Run it again after a cut, or by a timer.

    \b
    hutong drop fetch ./anhui urn:uuid:... /srv/incoming --purpose P01 --case 2026-0417
    """
    import hutong

    at, authority = address(node)
    with hutong.connect(at, key, authority=authority) as connection:
        reading = connection.files(agreement, MEDIA_TYPES["." + form], purpose=purpose, case=case)
        place = into / uuid_of(agreement) / str(reading.opened["version"])
        if _is_delivered(place, str(reading.file["digest"])):
            click.echo(f"Version {place.name} is in {place} already. Nothing was fetched.")
            return
        _deliver(connection, reading, place, "rows." + form)
    click.echo(f"{reading.file['rows']} rows, {reading.file['bytes']} bytes in {place}")
    click.echo(f"exchange {reading.exchange}")


@drop.command("verify")
@FOLDER
@click.argument("delivery", type=click.Path(exists=True, file_okay=False, path_type=Path))
def verify(folder: Path, delivery: Path) -> None:
    """Check a delivered version against its provider's signature, with the keys of this node's directory.

    \b
    hutong drop verify ./anhui /srv/incoming/0192f0c1-.../3
    """
    from hutong.node.settings import setup

    setup(folder)
    said = check_delivery(delivery)
    click.echo(f"{said['rows']} rows of agreement {said['agreement']}, version {said['version']}, are what was signed.")


def check_delivery(delivery: Path) -> dict[str, Any]:
    """The manifest of a delivery that is whole and signed by its agreement's provider.

    raises   BadDelivery
    """
    from hutong.exchange.handing import signed_text
    from hutong.node.keyring import ring

    try:
        said: dict[str, Any] = json.loads((delivery / MANIFEST).read_bytes())
        stated, file = said["stated"], said["stated"]["files"][0]
        signature, keyid = base64.b64decode(stated["signature"]["value"]), str(stated["signature"]["keyid"])
        found = _digest(delivery / str(said["file"]))
    except (OSError, KeyError, IndexError, TypeError, ValueError, binascii.Error) as error:
        raise BadDelivery(folder=str(delivery), reason="it cannot be read", reason_zh="无法读取") from error
    keys = ring()
    keys.refresh()
    known = keys.lookup(keyid)
    if known is None or known.jurisdiction != _provider(str(stated["agreement"])):
        raise BadDelivery(
            folder=str(delivery), reason="it is not the agreement's provider's", reason_zh="不是协议提供方的签名"
        )
    if not _holds(known.key, signature, signed_text(stated)):
        raise BadDelivery(folder=str(delivery), reason="its signature does not hold", reason_zh="签名不成立")
    if found != file["digest"]:
        raise BadDelivery(folder=str(delivery), reason="its rows have another digest", reason_zh="数据摘要不一致")
    return said | {"rows": file["rows"], "version": stated["version"], "agreement": stated["agreement"]}


def _provider(agreement: str) -> str:
    """Who provides under an agreement of this node; "" where there is none."""
    from hutong.exchange.models import Entitlement

    found = Entitlement.objects.filter(agreement_id=agreement).values_list("provider", flat=True).first()
    return found or ""


def _deliver(connection: Connection, reading: FileReading, place: Path, name: str) -> None:
    """Into a partial folder named by the digest, so that only bytes of the same file are continued."""
    digest = str(reading.file["digest"]).removeprefix("sha256:")
    partial = place.with_name(f"{place.name}-{digest[:16]}{PARTIAL}")
    partial.mkdir(parents=True, exist_ok=True)
    rows = partial / name
    with rows.open("ab") as file:
        # What was there before is read to its end before anything is added to it.
        for piece in reading.chunks(_pieces(rows)):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    stands = connection.exchange(reading.exchange)
    manifest = {
        "v": 1,
        "file": name,
        "exchange": reading.exchange,
        "receipt": stands["receipt"],
        "delivered_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "stated": _stated(reading.opened),
    }
    put_whole(partial / MANIFEST, (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode())
    partial.rename(place)
    put_whole(place.parent / "newest", f"{place.name}\n".encode())


def _stated(opened: dict[str, Any]) -> dict[str, Any]:
    """What the provider signed: the node added addresses."""
    files = [{name: value for name, value in one.items() if name != "url"} for one in opened["files"]]
    return {**opened, "files": files}


def _is_delivered(place: Path, digest: str) -> bool:
    with suppress(OSError, KeyError, ValueError):
        found: bool = json.loads((place / MANIFEST).read_bytes())["stated"]["files"][0]["digest"] == digest
        return found
    return False


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def _digest(file: Path) -> str:
    hashed = hashlib.sha256()
    for piece in _pieces(file):
        hashed.update(piece)
    return "sha256:" + hashed.hexdigest()


def _holds(key: Any, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True
