"""`python -m hutong` is `hutong`."""

from __future__ import annotations

from hutong.node.cli import main

main()
