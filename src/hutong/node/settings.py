"""A node's settings: a file (hutong.toml in the node's folder), then the environment over it.

The environment's names are HUTONG_ and the field in capitals (HUTONG_BASE_URL); DATABASE_URL alone
switches from the node's own SQLite file to PostgreSQL.
"""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

from hutong.ledger.whole import PRIVATE, put_whole
from hutong.vocabulary.errors import Refused

PLACES = ("nation", "region", "province", "city", "district")
# What one server can be: everything, or a part apart; `inside` is control and exchange without the nodes' own door.
PARTS = ("all", "inside", "control", "exchange", "nodes")
FILE_NAME = "hutong.toml"
SHORTEST_TOKEN = 20  # characters
LONGEST_DRAIN_S = 3600
DATA_FOLDER = "data"  # of the node's folder: where sources may lie without further settings
# Written into every settings file, because an operator looks there first.
SOURCES_COMMENT = """\
# A source that is a file must lie in this folder's data/, or below a folder named here, absolute, separated by ":".
# source_roots = "/srv/exports:/mnt/registers"
# One read over the web (S3, Iceberg, HTTP interfaces) must lie at an address named here.
# source_addresses = "https://10.1.2.3:9000 https://api.example"
"""


class NoNode(Refused):
    """There is no node in {folder}: the file hutong.toml is missing there."""

    zh = "{folder} 中没有节点：缺少 hutong.toml 文件。"
    code = "no_node"
    status = 400
    next_en = "Make one with: hutong init {folder} --jurisdiction CODE"
    next_zh = "请先建立节点：hutong init {folder} --jurisdiction 行政区划代码"


class BadSetting(Refused):
    """The setting {name} is wrong: {reason}."""

    zh = "设置 {name} 有误：{reason}。"
    code = "bad_setting"
    status = 400
    next_en = "Correct hutong.toml or the environment, then start again."
    next_zh = "请更正 hutong.toml 或环境变量后重新启动。"


@dataclass(frozen=True)
class Settings:
    """What an operator chooses. Every field is a string in the file and in the environment."""

    home: Path
    jurisdiction: str  # the node's id: its GB/T 2260 code, or a region's short name such as "yrd"
    name_zh: str = ""
    name_en: str = ""
    place: str = "province"  # one of PLACES
    superior: str = ""  # the jurisdiction of the superior node, "" for none
    region: str = ""  # the node that keeps our directory, "" when we keep it ourselves
    base_url: str = "http://127.0.0.1:8310"  # where others reach the control plane
    exchange_url: str = ""  # where others reach the exchange; base_url when empty
    listen: str = "127.0.0.1:8310"
    listen_exchange: str = ""  # host:port when the exchange runs apart
    listen_nodes: str = ""  # host:port where other nodes alone are heard, each with a certificate of tls_authority
    # Where people reach the pages, and applications their node; base_url when empty. Where nodes have a door of their
    # own, http:// says that a reverse proxy does TLS for all others.
    portal_url: str = ""
    database_url: str = ""  # "" = SQLite in the node's folder
    language: str = "zh-hans"
    source_roots: str = ""  # absolute folders that sources may lie in besides the node's data/, separated by ":"
    source_addresses: str = ""  # scheme, host and port of the web addresses sources may have, separated by blanks
    dcat_shapes: str = ""  # a Turtle file of SHACL shapes that every published entry must satisfy; "" for none
    public_catalogue: str = ""  # "yes": anyone may read what this node publishes, as DCAT-AP
    public_figures: str = ""  # "yes": anyone may see this node's figures, without a person or a small number
    editions_gib: str = "20"  # how much the files of editions/ may take together
    webhook_addresses: str = ""  # where changes may be sent to applications: beginnings of URLs, separated by blanks
    smtp_host: str = ""  # "": notices are shown in the portal alone
    smtp_port: str = "25"
    smtp_security: str = ""  # "", starttls or tls
    smtp_user: str = ""
    smtp_password: str = ""
    mail_from: str = ""  # the address notices come from; needed with smtp_host
    tls_certificate: str = ""  # PEM file; "" where a reverse proxy does TLS
    tls_key: str = ""  # PEM file, PKCS 8
    tls_authority: str = ""  # PEM file: who issues the certificates of other nodes; "" for whom the system trusts
    otlp_endpoint: str = ""  # an OpenTelemetry collector, http://127.0.0.1:4318; "": no traces are made
    operator_token: str = ""  # opens /metrics and the health of each resource; "": they are nobody's
    log_format: str = ""  # "json": a JSON object on each line of the log
    drain_notice_s: str = "0"  # how long health says "draining" before doors close: two looks of the load balancer
    drain_limit_s: str = "10"  # for requests and streams under way, once the doors are closed

    def __post_init__(self) -> None:
        if self.place not in PLACES:
            raise BadSetting(
                name="place", reason="one of " + ", ".join(PLACES), reason_zh="应为以下之一：" + "、".join(PLACES)
            )
        if not self.jurisdiction or not self.jurisdiction.replace("-", "").isalnum():
            raise BadSetting(
                name="jurisdiction", reason="letters, digits and hyphens only", reason_zh="只能用字母、数字和连字符"
            )
        if not all(Path(one).is_absolute() for one in self.source_roots.split(os.pathsep) if one):
            raise BadSetting(
                name="source_roots",
                reason='absolute folders, separated by ":"',
                reason_zh='应为绝对路径的文件夹，以 ":" 分隔',
            )
        if self.public_catalogue not in ("", "yes"):
            raise BadSetting(name="public_catalogue", reason='"yes", or left out', reason_zh='应为 "yes"，或不填')
        if self.public_figures not in ("", "yes"):
            raise BadSetting(name="public_figures", reason='"yes", or left out', reason_zh='应为 "yes"，或不填')
        if not (self.editions_gib.isdecimal() and int(self.editions_gib) > 0):
            raise BadSetting(name="editions_gib", reason="a whole number from 1 on", reason_zh="应为不小于 1 的整数")
        self._check_mail()
        self._check_operation()
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        object.__setattr__(self, "exchange_url", (self.exchange_url or self.base_url).rstrip("/"))
        object.__setattr__(self, "portal_url", (self.portal_url or self.base_url).rstrip("/"))

    def _check_mail(self) -> None:
        if self.smtp_security not in ("", "starttls", "tls"):
            raise BadSetting(
                name="smtp_security", reason='"starttls", "tls", or left out', reason_zh='应为 "starttls"、"tls" 或不填'
            )
        if not (self.smtp_port.isdecimal() and 0 < int(self.smtp_port) < 65536):
            raise BadSetting(name="smtp_port", reason="a port number", reason_zh="应为端口号")
        if self.smtp_host and "@" not in self.mail_from:
            raise BadSetting(
                name="mail_from",
                reason="an address is needed with smtp_host",
                reason_zh="设置 smtp_host 时必须填写发件地址",
            )

    def _check_operation(self) -> None:
        if self.listen_nodes and not (self.tls_certificate and self.tls_key and self.tls_authority):
            raise BadSetting(
                name="listen_nodes",
                reason="it needs tls_certificate, tls_key and tls_authority: hutong tls install DIR",
                reason_zh="需要 tls_certificate、tls_key 和 tls_authority：hutong tls install DIR",
            )
        if self.log_format not in ("", "json"):
            raise BadSetting(name="log_format", reason='"json", or left out', reason_zh='应为 "json"，或不填')
        if self.operator_token and len(self.operator_token) < SHORTEST_TOKEN:
            raise BadSetting(
                name="operator_token",
                reason=f"at least {SHORTEST_TOKEN} characters",
                reason_zh=f"至少 {SHORTEST_TOKEN} 个字符",
            )
        if self.otlp_endpoint and not self.otlp_endpoint.startswith(("http://", "https://")):
            raise BadSetting(name="otlp_endpoint", reason="begins with http://", reason_zh="应以 http:// 开头")
        for name in ("drain_notice_s", "drain_limit_s"):
            if not getattr(self, name).isdecimal() or int(getattr(self, name)) > LONGEST_DRAIN_S:
                raise BadSetting(
                    name=name,
                    reason=f"whole seconds, at most {LONGEST_DRAIN_S}",
                    reason_zh=f"应为整数秒，至多 {LONGEST_DRAIN_S}",
                )

    @property
    def plain_inside(self) -> bool:
        """True where the doors for people and applications do no TLS themselves, although that for nodes does."""
        return bool(self.listen_nodes) and self.portal_url.startswith("http://")

    @property
    def keeps_directory(self) -> bool:
        """True on the node that keeps the directory of members."""
        return self.place == "region" or (not self.region and self.place == "nation")

    @property
    def keys_folder(self) -> Path:
        return self.home / "keys"

    @property
    def ledger_folder(self) -> Path:
        return self.home / "ledger"

    @property
    def data_folder(self) -> Path:
        return self.home / DATA_FOLDER

    @property
    def snapshots_folder(self) -> Path:
        return self.home / "snapshots"

    @property
    def applications_url(self) -> str:
        """Where the applications of our departments reach this node."""
        return self.portal_url if self.listen_nodes else self.exchange_url

    @property
    def editions_folder(self) -> Path:
        """What agreements gave, masked and cut, in files that reads share. Can be deleted at any time."""
        return self.home / "editions"

    @property
    def indexes_folder(self) -> Path:
        """Lookup indexes of sources read in place. They hold copies of rows, and can be deleted at any time."""
        return self.home / "indexes"


def load(home: str | os.PathLike[str]) -> Settings:
    """The settings of the node in a folder, environment over file.

    raises   NoNode, BadSetting
    """
    folder = Path(home).expanduser().resolve()
    file = folder / FILE_NAME
    if not file.is_file():
        raise NoNode(folder=str(folder))
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(name=FILE_NAME, reason=str(error), reason_zh=f"不是有效的 TOML（{error}）") from error
    known = {field.name for field in fields(Settings)} - {"home"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise BadSetting(name=unknown[0], reason="no such setting", reason_zh="没有这项设置")
    for name in known:
        if (value := os.environ.get("HUTONG_" + name.upper())) is not None:
            given[name] = value
    if database_url := os.environ.get("DATABASE_URL"):
        given["database_url"] = database_url
    return Settings(home=folder, **{name: str(value) for name, value in given.items()})


def current() -> Settings:
    """The settings of the node this process was started for (HUTONG_HOME)."""
    home = os.environ.get("HUTONG_HOME")
    if not home:
        raise NoNode(folder="HUTONG_HOME")
    try:
        stat = (Path(home) / FILE_NAME).stat()
        version = (stat.st_mtime_ns, stat.st_ino, stat.st_size)  # two changes may fall into one tick of the clock
    except OSError:
        version = (0, 0, 0)
    return _loaded(home, version)


@lru_cache(maxsize=4)
def _loaded(home: str, _version: tuple[int, int, int]) -> Settings:
    # Asked for on every message: the file is read again only when it has changed.
    return load(home)


def write(file: Path, values: dict[str, str]) -> None:
    """Write a settings file, readable by its owner alone, all at once: a crash leaves the old one or the new one."""
    text = "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items() if value)
    if not values.get("source_roots"):
        text += "\n" + SOURCES_COMMENT
    put_whole(file, text.encode("utf-8"), mode=PRIVATE)


def change(file: Path, **values: str) -> None:
    """Set these values in a settings file and keep the others."""
    given = tomllib.loads(file.read_text(encoding="utf-8"))
    write(file, {name: str(value) for name, value in given.items()} | values)


def setup(home: str | os.PathLike[str]) -> Settings:
    """Point this process at a node and start Django for it. Call once, before importing models."""
    import django

    os.environ["HUTONG_HOME"] = str(Path(home).expanduser().resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "hutong.node.django_settings"
    settings = current()
    django.setup()
    return settings
