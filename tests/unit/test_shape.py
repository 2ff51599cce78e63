"""The shape of the code: short steps, short modules, and a repository that names nobody's machine."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
LONGEST_FUNCTION = 60  # lines
LONGEST_MODULE = 500  # lines
FORBIDDEN_FOLDERS = {"common", "utils", "util", "helpers", "manager", "managers", "misc"}
# What the repository may name: specifications and their name spaces, this machine, and names reserved for examples.
KNOWN_HOSTS = (
    *("apache.org", "c2sp.org", "gov.cn", "ietf.org", "json-ld.org", "json-schema.org", "openxmlformats.org"),
    *("purl.org", "rfc-editor.org", "schema.org", "spdx.org", "w3.org", "w3id.org"),
    *("publications.europa.eu", "semiceu.github.io", "xmlns.com"),  # the terms of DCAT-AP
    "w3c.github.io",  # drafts of the W3C
    *("localhost", "example", "example.com", "example.org", "example.net", "invalid", "test"),
)
THIS_MACHINE = re.compile(r"127(\.\d+){3}|::1|0\.0\.0\.0|10(\.\d+){3}|192\.168(\.\d+){2}")
BIGGEST_FILE_BYTES = 400_000  # the locked requirement files are the biggest that we keep


def _known(host: str) -> bool:
    return bool(THIS_MACHINE.fullmatch(host)) or any(
        host == known or host.endswith("." + known) for known in KNOWN_HOSTS
    )


def _modules() -> list[Path]:
    return [path for path in sorted(SOURCE.rglob("*.py")) if "migrations" not in path.parts]


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree")
    paths = [ROOT / name for name in listed.stdout.decode("utf-8").split("\0") if name]
    return [path for path in paths if path.is_file()]


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_no_function_is_longer_than_sixty_lines():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in _modules()
        for node in _functions(ast.parse(path.read_text(encoding="utf-8")))
        if (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_no_module_is_longer_than_five_hundred_lines():
    assert not [
        str(path.relative_to(ROOT))
        for path in _modules()
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE
    ]


def test_every_module_has_a_noun_for_a_name():
    assert not [str(path.relative_to(ROOT)) for path in _modules() if FORBIDDEN_FOLDERS & {*path.parts, path.stem}]


def test_the_repository_names_no_host_but_specifications_and_itself():
    found = []
    for path in _tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for link in re.findall(r"https?://[^\s\"'<>)\]}`|\\]+", text):
            host = urlsplit(link.rstrip(".,;:")).hostname or ""
            if host and "{" not in host and not _known(host):
                found.append(f"{path.relative_to(ROOT)}: {host}")
    assert not found


def test_locked_requirements_carry_hashes_and_no_address():
    for path in (ROOT / "requirements").glob("*.lock"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text
        assert not re.search(r"(?m)^\s*--(?!hash=sha256:)", text)
        for requirement in re.split(r"\n(?=\S)", text.strip()):
            assert "--hash=sha256:" in requirement, requirement.splitlines()[0]


def test_no_file_is_big_enough_to_be_somebody_elses_data():
    assert not [str(path.relative_to(ROOT)) for path in _tracked() if path.stat().st_size > BIGGEST_FILE_BYTES]


def test_no_file_is_a_copy_of_the_real_data(real_data: Path):
    ours = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in _tracked() if path.stat().st_size > 64}
    sizes = {path.stat().st_size for path in ours.values()}
    copied = [
        str(theirs)
        for theirs in real_data.rglob("*")
        if theirs.is_file() and theirs.stat().st_size in sizes
        if hashlib.sha256(theirs.read_bytes()).hexdigest() in ours
    ]
    assert not copied
