"""The browser of the journeys: the system's Chromium, or one that can be had here.

`python -m tests.chromium` gets one and says where it is: a system browser found by name, else
Debian's packages (as root; with a font for Chinese), else playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPLICATION = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
DEBIAN_PACKAGES = ("chromium", "fonts-noto-cjk")
# Quiet: a browser under test asks nothing of anybody outside this machine.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> str | None:
    """The path of a browser on this machine, None without one. HUTONG_CHROMIUM names another."""
    if named := os.environ.get("HUTONG_CHROMIUM"):
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if MAC_APPLICATION.exists():
        return str(MAC_APPLICATION)
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def _shows_chinese() -> bool:
    if not shutil.which("fc-list"):
        return True
    fonts = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False)
    return bool(fonts.stdout.strip())


def _from_debian() -> None:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES],
    ):
        subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL)


def install() -> str | None:
    """Find a browser, or get one; None when neither was possible."""
    found = find()
    if found and _shows_chinese():
        return found
    _from_debian()
    if found := find():
        return found
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find()


def main() -> int:
    found = install()
    if found:
        print(f"browser: {found}")
        return 0
    print(
        "error: the journeys need Chromium, and none was found or could be installed. Nothing else was changed.\n"
        "Install it (Debian: apt-get install chromium fonts-noto-cjk), or name one with HUTONG_CHROMIUM=/path.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
