"""Where a visitor's request comes from."""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The address of the visitor's machine; "" where the server does not know it.

    A proxy on this machine speaks for others, and the last address it names is the one it saw itself. Anybody else
    could write that header as they like, so from another machine it is not read.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if not _on_this_machine(peer):
        return peer
    return str(request.headers.get("X-Forwarded-For", "")).rpartition(",")[2].strip() or peer


def _on_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
