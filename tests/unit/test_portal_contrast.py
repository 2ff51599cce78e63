"""Text is readable on every ground it stands on, light and dark: WCAG 2.2 AA, computed from the colours themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hutong.portal

TOKENS = (Path(hutong.portal.__file__).parent / "static" / "portal" / "tokens.css").read_text(encoding="utf-8")
COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6})")
TEXT = 4.5  # WCAG 2.2, 1.4.3
GRAPHIC = 3.0  # WCAG 2.2, 1.4.11: edges of controls, focus
GROUNDS = ("paper", "surface", "sunken")
PAIRS = [
    *[(ink, ground, TEXT) for ink in ("ink", "ink-soft", "ink-faint", "accent") for ground in GROUNDS],
    *[(tone, f"{tone}-ground", TEXT) for tone in ("good", "wait", "bad", "calm", "accent")],
    *[(tone, "surface", TEXT) for tone in ("good", "wait", "bad", "calm", "seal")],
    ("button-ink", "button", TEXT),
    ("button-ink", "button-hover", TEXT),
    ("band-ink", "band", TEXT),
    ("band-faint", "band", TEXT),
    *[("edge", ground, GRAPHIC) for ground in ("paper", "surface")],
    *[("focus", ground, GRAPHIC) for ground in GROUNDS],
    *[("accent", ground, GRAPHIC) for ground in GROUNDS],
]


def schemes() -> dict[str, dict[str, str]]:
    light, dark = TOKENS.split("@media (prefers-color-scheme: dark)")
    bright = dict(COLOUR.findall(light))
    return {"light": bright, "dark": bright | dict(COLOUR.findall(dark))}


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS, ids=[f"{ink}-on-{ground}" for ink, ground, _ in PAIRS])
def test_ink_is_readable_on_its_ground(scheme: str, ink: str, ground: str, least: float):
    colours = schemes()[scheme]
    assert contrast(colours[ink], colours[ground]) >= least
