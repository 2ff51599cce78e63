"""Every test process is one node in a temporary folder; journeys start further nodes as real processes."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path

import pytest


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="hutong-test-"))
    (home / "keys").mkdir(mode=0o700)
    (home / "keys" / "django.secret").write_text(secrets.token_urlsafe(50), encoding="ascii")
    (home / "hutong.toml").write_text(
        'jurisdiction = "320000"\nname_zh = "江苏省"\nname_en = "Jiangsu"\nplace = "province"\nregion = "yrd"\n'
        'base_url = "http://127.0.0.1:8399"\n',
        encoding="utf-8",
    )
    return home


HOME = _make_home()
os.environ["HUTONG_HOME"] = str(HOME)
os.environ["DJANGO_SETTINGS_MODULE"] = "hutong.node.django_settings"
DATA = Path(os.environ.get("HUTONG_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real public data; a test that needs it skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no real data under {DATA}: set HUTONG_DATA")
    return DATA
