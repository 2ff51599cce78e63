"""What a source is, and every way it can be refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from hutong.vocabulary.errors import Refused

TAKEN_IN = ("csv", "excel", "csv_folder")  # copied into a snapshot first
IN_PLACE = ("parquet", "sqlite", "postgresql", "mysql", "parquet_folder", "iceberg", "openapi")
NEEDS_TABLE = ("sqlite", "postgresql", "mysql", "iceberg")
KINDS = TAKEN_IN + IN_PLACE


@dataclass(frozen=True)
class SourceSpec:
    """Where data lies.

    kind      one of KINDS
    location  a file's absolute path, or a database's connection string; never shown, never logged
    table     a table, with its schema before it where there are schemas, or a sheet; "" for none or the first sheet
    snapshot  the snapshot file's path, for kinds that are taken in; "" before the first intake
    settings  what the kind needs besides, credentials among it, in the order of their names; see settings.py
    """

    kind: str
    location: str = field(repr=False)
    table: str = ""
    snapshot: str = ""
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownKind(kind=self.kind[:40], known=KINDS)
        if self.kind in NEEDS_TABLE and not self.table:
            raise NoTable(kind=self.kind)

    @classmethod
    def kept(cls, kind: str, text: str, table: str = "", snapshot: str = "") -> SourceSpec:
        """The source whose text() this is."""
        if not text.startswith("{"):
            return cls(kind, text, table, snapshot)
        said = json.loads(text)
        return cls(kind, said["location"], table, snapshot, tuple(sorted(said["settings"].items())))

    def text(self) -> str:
        """Where it lies and its settings, as one text to be sealed. MUST NOT be stored or shown otherwise."""
        if not self.settings:
            return self.location
        return json.dumps({"location": self.location, "settings": dict(self.settings)}, ensure_ascii=False)

    @property
    def given(self) -> Mapping[str, str]:
        return dict(self.settings)

    @property
    def reads_snapshot(self) -> bool:
        return self.kind in TAKEN_IN

    @property
    def data_file(self) -> Path:
        """The file rows are read from: the snapshot where there is one."""
        if self.reads_snapshot and not self.snapshot:
            raise NotTakenIn()
        return Path(self.snapshot if self.reads_snapshot else self.location)


@dataclass(frozen=True)
class Probe:
    """What a live source answered."""

    schema: pa.Schema
    row_count: int
    quarantined: int
    message: str  # a sentence for the officer, in English; never a value
    field_ids: Mapping[str, int] = field(default_factory=dict)  # see Source
    changed: tuple[str, ...] = ()  # of the items it was described with: gone, or of another type


class SourceRefused(Refused):
    """The source cannot be used: {reason}."""

    zh = "数据源不可用：{reason}。"
    code = "source_refused"
    status = 422
    next_en = "Correct the source, then register or refresh it again."
    next_zh = "请更正数据源后重新登记或刷新。"


class UnknownKind(SourceRefused):
    """There is no source kind {kind}; known are {known}."""

    zh = "没有数据源类型 {kind}；可用类型：{known}。"
    code = "unknown_source_kind"
    status = 400


class NoTable(SourceRefused):
    """A {kind} source needs the name of a table or view."""

    zh = "{kind} 数据源必须指明表或视图的名称。"
    code = "source_without_table"
    status = 400


class BadSourceSetting(SourceRefused):
    """The setting {name} of the source cannot be used: {reason}."""

    zh = "数据源的设置 {name} 不可用：{reason}。"
    code = "bad_source_setting"
    status = 400


class NotTakenIn(SourceRefused):
    """The file has not been taken in yet, so there is no snapshot to read."""

    zh = "该文件尚未接入，没有可读取的快照。"
    code = "source_not_taken_in"
    next_en = "Refresh the source first."
    next_zh = "请先刷新数据源。"


class SourceMissing(SourceRefused):
    """The source is not there, or this node may not read it."""

    zh = "数据源不存在，或本节点无权读取。"
    code = "source_missing"


class SourceOutside(SourceRefused):
    """The file lies outside the folders sources are allowed in: the node's own data folder, and those that its
    setting source_roots names."""

    zh = "文件不在允许的数据源目录内：仅允许节点自身的 data 目录，以及设置 source_roots 中列出的目录。"
    code = "source_outside"
    status = 403
    next_en = "Move it there, or let the operator add its folder to source_roots in hutong.toml."
    next_zh = "请将其移至上述目录，或由运维人员在 hutong.toml 的 source_roots 中加入其所在目录。"


class AddressOutside(SourceRefused):
    """The address is not one that this node's setting source_addresses allows."""

    zh = "该地址不在本节点设置 source_addresses 允许的范围内。"
    code = "address_outside"
    status = 403
    next_en = "Let the operator add its scheme, host and port to source_addresses in hutong.toml."
    next_zh = "请由运维人员将其协议、主机和端口加入 hutong.toml 的 source_addresses。"


class NotAFolder(SourceRefused):
    """The source is not a folder."""

    zh = "数据源不是文件夹。"
    code = "source_not_a_folder"


class NotAPlainFile(SourceRefused):
    """The source is not a plain file: links, folders, devices and pipes are not read."""

    zh = "数据源不是普通文件：不读取链接、目录、设备和管道。"
    code = "source_not_a_file"


class SourceChanging(SourceRefused):
    """The file grew or changed while it was read, so the snapshot of before stays in use."""

    zh = "读取期间文件发生增长或变化，继续使用此前的快照。"
    code = "source_changing"
    status = 409
    next_en = "Refresh again once whoever writes the file has finished."
    next_zh = "请在文件写入完成后再次刷新。"


class SourceTooLarge(SourceRefused):
    """The file holds more than the {limit} bytes allowed once it is decompressed."""

    zh = "文件解压后超过允许的 {limit} 字节。"
    code = "source_too_large"
    status = 413
    next_en = "Split the file, or let the operator raise the limit."
    next_zh = "请拆分文件，或由运维人员提高上限。"


class WorkbookTooLarge(SourceTooLarge):
    """The workbook needs more than the {limit} bytes of memory allowed to open it."""

    zh = "打开该工作簿所需内存超过允许的 {limit} 字节。"
    code = "workbook_too_large"
    next_en = "Save the sheet as CSV, and register that."
    next_zh = "请将工作表另存为 CSV 后登记。"


class SourceUnreadable(SourceRefused):
    """The source cannot be read as {kind}: {reason}."""

    zh = "数据源无法按 {kind} 读取：{reason}。"
    code = "source_unreadable"


class BadHeader(SourceRefused):
    """The header of column {column} cannot be used: {reason}."""

    zh = "第 {column} 列的表头不可用：{reason}。"
    code = "bad_header"


class NoRows(SourceRefused):
    """No row of the file could be used; {quarantined} were set aside."""

    zh = "文件中没有可用的行；已隔离 {quarantined} 行。"
    code = "no_usable_row"
    next_en = "Check the delimiter, the quotes and the encoding of the file."
    next_zh = "请检查文件的分隔符、引号和编码。"


class SourceDrifted(SourceRefused):
    """The source no longer has these items, or has them with another type: {items}. Nothing was read."""

    zh = "数据源已没有以下信息项，或其类型已变：{items}。未读取任何数据。"
    code = "source_drifted"
    status = 503
    next_en = "The provider was told; it must bring the source back, or describe the resource as it is now."
    next_zh = "已通知提供方；须由其恢复数据源，或按现状修改目录描述。"


class SourceFailed(SourceRefused):
    """The source did not answer, or broke off while it was read."""

    zh = "数据源没有响应，或在读取过程中中断。"
    code = "source_failed"
    status = 503
    next_en = "Try again shortly; if it lasts, ask the provider to run hutong doctor."
    next_zh = "请稍后重试；如持续，请提供方运行 hutong doctor。"


class UnknownItem(SourceRefused):
    """The source has no item {item}."""

    zh = "数据源没有信息项 {item}。"
    code = "unknown_item"
    status = 400
    next_en = "Ask only for items of the catalogue entry."
    next_zh = "请仅请求目录中列出的信息项。"
