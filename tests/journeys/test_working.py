"""A button whose work takes a while, in a real browser: it says so, is sent once, and sends what it always sent."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from playwright.sync_api import Page, Route, expect

import hutong.portal

SCRIPT = (Path(hutong.portal.__file__).parent / "static" / "portal" / "working.js").read_text(encoding="utf-8")
PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><link rel="icon" href="data:,">
<script src="/working.js" defer></script>
<form method="post" action="/slow" data-works><input name="name" value="企业登记">
<button type="submit" name="do" value="save">保存</button><button type="submit" name="do" value="publish">发布</button>
</form><p id="working" role="status" aria-live="polite" data-words="正在处理…"></p></html>"""
POLICY = {"content-security-policy": "default-src 'none'; script-src 'self'; img-src data:; form-action 'self'"}


def test_the_pressed_button_says_it_works_and_the_form_is_sent_once(page: Page) -> None:
    sent: list[str | None] = []

    def keep(route: Route) -> None:
        sent.append(route.request.post_data)
        route.fulfill(status=204)  # no page follows, so this one can be looked at for as long as the test likes

    page.route("http://node.test/", lambda route: route.fulfill(body=PAGE, content_type="text/html", headers=POLICY))
    page.route("**/working.js", lambda route: route.fulfill(body=SCRIPT, content_type="text/javascript"))
    page.route("**/slow", keep)
    page.goto("http://node.test/")
    page.get_by_role("button", name="发布").click()
    expect(page.get_by_role("button", name="正在处理…")).to_be_disabled()
    expect(page.get_by_role("button", name="保存")).to_be_disabled()
    expect(page.get_by_role("status")).to_have_text("正在处理…")
    page.evaluate("document.querySelector('form').requestSubmit()")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(page.get_by_role("status")).to_have_text("")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("button", name="发布")).to_be_disabled()
    asked = [parse_qs(body or "") for body in sent]
    assert asked == [{"name": ["企业登记"], "do": [one]} for one in ("publish", "save")]
