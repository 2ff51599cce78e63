"""The pictures of the docs, taken anew from a demonstration that is open for visitors: `make pictures`.

Each is taken in English and in Chinese at a desk's width; those of PHONES, in Chinese, at a phone's as well.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from hutong.demo.region import FIRST_PORT, JIANGSU, NATION, PASSWORD, SHANGHAI, ZHEJIANG, Seat
from tests.chromium import ARGUMENTS, find

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
DESK = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 780}
LOCALES = {"": "en-GB", ".zh": "zh-CN"}  # by the ending of the file's name
COLOURS = 96
PHONES = ("deadlines", "dispute", "demand")


def address_of(page: Page, path: str) -> str:
    return "/".join(page.url.split("/", 3)[:3]) + path


def into(path: str) -> Callable[[Page], None]:
    """Open the first link of a room's table."""

    def go(page: Page) -> None:
        page.goto(address_of(page, path))
        page.locator("main tbody th a").first.click()

    return go


def at(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(address_of(page, path))

    return go


def simulated(page: Page) -> None:
    """Who could read what, of people's data: the rows show how they are masked."""
    at("/publish/")(page)
    page.get_by_role("link", name=re.compile("insured persons|参保信息")).click()
    page.locator("form[action*='simulate'] button").first.click()
    page.locator("button[name=sample]").nth(1).click()


def mapped(page: Page) -> None:
    """The steward's own codes, as many as the column really holds, beside the region's."""
    at("/standards/maps/?map=sh-industry")(page)
    page.locator("a[href*='item=']").first.click()


# The name of the picture, whose desk, and the way there.
PICTURES: tuple[tuple[str, Seat, str, Callable[[Page], None]], ...] = (
    ("deadlines", JIANGSU, "supervisor", at("/clocks/")),
    ("request", ZHEJIANG, "officer", into("/requests/")),
    ("simulation", JIANGSU, "officer", simulated),
    ("review", JIANGSU, "supervisor", into("/reviews/")),
    ("demand", JIANGSU, "supervisor", into("/demands/?show=all")),
    ("standards", SHANGHAI, "steward", at("/standards/?kind=table")),
    ("code-map", SHANGHAI, "steward", mapped),
    ("element", SHANGHAI, "steward", at("/standards/elements/")),
    ("working-days", JIANGSU, "supervisor", at("/working-days/")),
    ("meters", JIANGSU, "auditor", at("/meters/")),
    ("correction", SHANGHAI, "officer", into("/corrections/")),
    ("return", JIANGSU, "officer", into("/returns/")),
    ("dispute", NATION, "supervisor", into("/disputes/")),
    ("scorecard", JIANGSU, "supervisor", at("/oversight/")),
    ("figures", JIANGSU, "", at("/figures/")),
    ("rule", JIANGSU, "supervisor", at("/rules/D809-21/conditional_reply_late/")),
    ("decision", JIANGSU, "supervisor", into("/decisions/")),
)


def sign_in(page: Page, address: str, username: str) -> None:
    page.goto(address + "/sign-in/")
    if username:
        page.locator("#id_username").fill(username)
        page.locator("#id_password").fill(PASSWORD)
        page.locator("#id_password").press("Enter")
        page.wait_for_url(lambda url: "/sign-in/" not in url)


def keep(page: Page, name: str) -> None:
    """A screen in at most COLOURS colours: text stays sharp, and the file a third of its size."""
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    small = taken.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    small.save(FOLDER / f"{name}.png", optimize=True)
    print(f"{name}.png")


def take(browser: Browser, first_port: int, wanted: list[str]) -> None:
    for name, seat, username, go in PICTURES:
        if wanted and name not in wanted:
            continue
        for ending, locale in LOCALES.items():
            page = browser.new_context(locale=locale, viewport=DESK).new_page()
            sign_in(page, seat.base_url(first_port), username)
            go(page)
            page.wait_for_load_state("networkidle")
            keep(page, f"{name}{ending}")
            if ending and name in PHONES:
                page.set_viewport_size(PHONE)
                keep(page, f"{name}-phone{ending}")
            page.context.close()


def main() -> int:
    first_port, *wanted = sys.argv[1:] or [str(FIRST_PORT)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(ARGUMENTS))
        take(browser, int(first_port), wanted)
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
