"""The technology compatibility kit: fetched by Maven, run by Java, its report read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST_JAVA = 17
WITHIN_S = 1_800.0  # the whole run; it takes about two minutes on an idle machine
WAIT_S = 30  # for each thing the kit waits for; it goes on as soon as it comes
TESTS = "org.eclipse.dataspacetck.dsp.verification"
LAUNCHER = "org.eclipse.dataspacetck.dsp.system.DspSystemLauncher"
CONSOLE = "org.junit.platform.console.ConsoleLauncher"


class ToolMissing(Exception):
    """Java or Maven is not there; the message says what to install."""


class KitFailed(Exception):
    """The kit did not run to its end."""


@dataclass(frozen=True)
class Result:
    """One scenario of the kit."""

    name: str  # as the kit shows it: "CN:01-01: Verify contract request, ..."
    passed: bool
    why: str  # of a failure, its first line
    seconds: float


def version() -> str:
    """The kit's version, as the pom has it."""
    found = re.search(r"<kit.version>([^<]+)</kit.version>", (HERE / "pom.xml").read_text(encoding="utf-8"))
    return found[1] if found else ""


def fetch(cache: Path) -> Path:
    """The kit and what it needs, in a folder of the cache; fetched once for each version of the pom.

    raises   ToolMissing, KitFailed
    """
    check_java()
    pom = HERE / "pom.xml"
    folder = cache / "kit"
    stamp = folder / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == pom.read_bytes():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise ToolMissing("the kit is fetched with Maven, which is not there: apt-get install maven")
    shutil.rmtree(folder, ignore_errors=True)
    copy = ("dependency:copy-dependencies", f"-DoutputDirectory={folder}", "-DincludeScope=runtime")
    done = subprocess.run(
        [maven, "-q", "-B", "-f", str(pom), *copy], capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    if done.returncode != 0:
        raise KitFailed(f"Maven could not fetch the kit:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    stamp.write_bytes(pom.read_bytes())
    return folder


def check_java() -> None:
    """raises   ToolMissing"""
    java = shutil.which("java")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr if java else ""
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < OLDEST_JAVA:
        raise ToolMissing(
            f"the kit needs Java {OLDEST_JAVA} or later, which is not there: apt-get install openjdk-17-jre-headless"
        )


def run(folder: Path, properties: Mapping[str, str], reports: Path) -> list[Result]:
    """Run the kit against a node. returns its scenarios by name

    raises   KitFailed when it left no report
    """
    shutil.rmtree(reports, ignore_errors=True)
    given = [f"-D{name}={value}" for name, value in {"dataspacetck.launcher": LAUNCHER, **properties}.items()]
    select = ("execute", "--select-package", TESTS, "--include-classname", ".*Test", "--details", "tree")
    # Two scenarios are switched off in this version of the kit; they are part of the 67, so they run.
    every = ("--config", "junit.jupiter.conditions.deactivate=org.junit.*DisabledCondition")
    plain = ("--disable-banner", "--disable-ansi-colors", "--reports-dir", str(reports))
    reports.mkdir(parents=True)
    with (reports / "kit.log").open("wb") as log:
        subprocess.run(
            ["java", *given, "-cp", f"{folder}{os.sep}*", CONSOLE, *select, *every, *plain],
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=WITHIN_S,
            check=False,
        )
    written = reports / "TEST-junit-jupiter.xml"
    if not written.exists():
        raise KitFailed(f"the kit left no report; its last words:\n{(reports / 'kit.log').read_text()[-4000:]}")
    return sorted((_result(case) for case in ElementTree.parse(written).iter("testcase")), key=lambda one: one.name)


def _result(case: ElementTree.Element) -> Result:
    shown = re.search(r"display-name: (.*)", "".join(one.text or "" for one in case.iter("system-out")))
    wrong = next((one for kind in ("failure", "error", "skipped") for one in case.iter(kind)), None)
    why = "" if wrong is None else (wrong.get("message") or (wrong.text or wrong.tag).strip()).split("\n")[0]
    name = shown[1].strip() if shown else str(case.get("name"))
    return Result(name, wrong is None, why, float(case.get("time", "0")))
