"""The directory's keys in memory: what a verifier looks up for every message, and which of our keys signs now.

A lookup is one dictionary access. The ring rereads the directory when the version in the database has changed; it looks
at that version at most every CHECK_EVERY_S, so a withdrawn key is refused within that time in every process.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection

from hutong.node.keys import SigningKey, load_node_keys
from hutong.node.models import DirectoryCopy, Member
from hutong.node.settings import Settings, current
from hutong.node.signatures import PublicKey

CHECK_EVERY_S = 0.5  # how stale a withdrawn key or a new member may be; owner: node


@dataclass(frozen=True)
class _OwnKey:
    key: SigningKey
    valid_from: float
    valid_to: float


@dataclass(frozen=True)
class _Contents:
    version: int
    public: dict[str, PublicKey]
    own: tuple[_OwnKey, ...]  # oldest first
    held: tuple[SigningKey, ...]
    addresses: dict[str, tuple[str, str]]  # jurisdiction: base_url, exchange_url


class KeyRing:
    """Keys and addresses of all members, and our own signing key."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._contents: _Contents | None = None
        self._looked_at = 0.0
        self._lock = threading.Lock()

    def lookup(self, keyid: str) -> PublicKey | None:
        """The key of that name, valid or not; verifiers check its dates. Never touches the database."""
        return self._loaded().public.get(keyid)

    def signing_key(self, now: float | None = None) -> SigningKey:
        """The newest of our keys that the directory lists as valid; before we have joined, our only one."""
        moment = time.time() if now is None else now
        contents = self._loaded()
        for own in reversed(contents.own):
            if own.valid_from <= moment < own.valid_to:
                return own.key
        return contents.held[0]

    def lasting_key(self, now: float | None = None) -> SigningKey:
        """The oldest of our keys that is still valid: the one most members already know.

        Documents that members keep are signed by it, so that one who was away for a whole overlap can follow.
        """
        moment = time.time() if now is None else now
        valid = (own.key for own in self._loaded().own if own.valid_from <= moment < own.valid_to)
        return next(valid, self._loaded().held[0])

    def addresses(self, jurisdiction: str) -> tuple[str, str] | None:
        """base_url and exchange_url of a member, None for a stranger. Never touches the database."""
        return self._loaded().addresses.get(jurisdiction)

    @property
    def version(self) -> int:
        return self._loaded().version

    def refresh(self, *, at_once: bool = False) -> None:
        """Reread when the directory has changed. Reads the database: call it from a thread, not from a coroutine."""
        now = time.monotonic()
        if self._contents is not None and not at_once and now - self._looked_at < CHECK_EVERY_S:
            return
        with self._lock:
            self._looked_at = now
            version = DirectoryCopy.objects.values_list("version", flat=True).first() or 0
            if self._contents is None or version != self._contents.version or at_once:
                self._contents = _read(self.settings, version)

    def watch(self) -> Callable[[], None]:
        """Keep the ring fresh from a thread of its own, for a process whose requests never touch the ORM.

        returns   what ends the watch; when it has returned, the thread is gone
        """
        self.refresh(at_once=True)
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), name="hutong-keyring", daemon=True)
        watcher.start()

        def end() -> None:
            over.set()
            watcher.join()

        return end

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(CHECK_EVERY_S):
            # A database that does not answer must not end the watch: the ring keeps what it has, and looks again.
            try:
                self.refresh()
            except Exception:
                connection.close()
        connection.close()

    def _loaded(self) -> _Contents:
        if self._contents is None:
            self.refresh()
        if self._contents is None:  # pragma: no cover - refresh either fills it or raises
            raise RuntimeError("the key ring is empty")
        return self._contents


@lru_cache(maxsize=1)
def ring() -> KeyRing:
    """This process's key ring."""
    return KeyRing(current())


def _read(settings: Settings, version: int) -> _Contents:
    held = tuple(load_node_keys(settings))
    by_id = {key.keyid: key for key in held}
    public: dict[str, PublicKey] = {}
    own: list[_OwnKey] = []
    addresses: dict[str, tuple[str, str]] = {}
    for member in Member.objects.all():
        until = seconds(member.valid_to)
        for entry in member.keys:
            one = public_key(member.jurisdiction, entry, until)
            public[one.keyid] = one
            if one.keyid in by_id:
                own.append(_OwnKey(by_id[one.keyid], one.valid_from, one.valid_to))
        if until > time.time():
            addresses[member.jurisdiction] = (member.base_url, member.exchange_url)
    own.sort(key=lambda one: one.valid_from)
    return _Contents(version, public, tuple(own), held, addresses)


def public_key(jurisdiction: str, entry: dict[str, Any], until: float = float("inf")) -> PublicKey:
    """A key entry of the directory document, ready to verify with; it ends with its member at `until`."""
    return PublicKey(
        entry["id"],
        jurisdiction,
        Ed25519PublicKey.from_public_bytes(base64.b64decode(entry["public"])),
        seconds(entry["valid_from"]),
        min(seconds(entry["valid_to"]), until),
    )


def seconds(moment: datetime | str | None) -> float:
    """Seconds since 1970 of a time; infinity for none."""
    if moment is None:
        return float("inf")
    return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).timestamp()
