"""Static files straight out of the installed packages: read once, compressed once, no build step.

The whole set is a dictionary from address to bytes, so no address can reach another file.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

Send = Callable[[dict[str, Any]], Awaitable[None]]
COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")
SMALLEST_COMPRESSED = 512  # bytes


@dataclass(frozen=True)
class StaticFile:
    """One file, ready to send."""

    content_type: str
    etag: str
    plain: bytes
    zipped: bytes | None


class StaticFiles:
    """Every static file of every installed app."""

    def __init__(self) -> None:
        self._files: dict[str, StaticFile] = {}
        for finder in get_finders():
            for name, storage in finder.list([]):
                address = f"/{settings.STATIC_URL.strip('/')}/{name}"
                # As with Django's own finders, the first app that has a name wins.
                self._files.setdefault(address, _read(Path(storage.path(name))))

    async def __call__(self, path: str, headers: Mapping[bytes, bytes], send: Send, *, head: bool) -> bool:
        """Answer if there is such a file. returns False when there is none"""
        file = self._files.get(path)
        if file is None:
            return False
        zipped = file.zipped is not None and b"gzip" in headers.get(b"accept-encoding", b"")
        body = file.zipped if zipped and file.zipped is not None else file.plain
        known = file.etag.encode() in headers.get(b"if-none-match", b"")
        fields = [
            (b"content-type", file.content_type.encode()),
            (b"etag", file.etag.encode()),
            (b"cache-control", b"no-cache"),  # keep it, but ask: names carry no version
            (b"vary", b"Accept-Encoding"),
            *([(b"content-encoding", b"gzip")] if zipped else []),
            *([] if known else [(b"content-length", str(len(body)).encode())]),
        ]
        await send({"type": "http.response.start", "status": 304 if known else 200, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if known or head else body})
        return True


def _read(file: Path) -> StaticFile:
    plain = file.read_bytes()
    content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    worth = content_type.startswith(COMPRESSED) and len(plain) >= SMALLEST_COMPRESSED
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    return StaticFile(
        content_type=content_type,
        etag='"' + hashlib.sha256(plain).hexdigest()[:32] + '"',
        plain=plain,
        zipped=gzip.compress(plain, 6, mtime=0) if worth else None,
    )
