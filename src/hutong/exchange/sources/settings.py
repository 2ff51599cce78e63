"""What a kind of source must be told besides where it lies. Forms, commands and checks are made from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.exchange.sources.spec import BadSourceSetting

LONGEST = 20_000


@dataclass(frozen=True)
class Setting:
    """One of them."""

    name: str
    en: str
    zh: str
    choices: tuple[str, ...] = ()  # the first is taken where nothing is given
    required: bool = False
    secret: bool = False  # typed unseen, and asked for apart from the command's own line
    hint_en: str = ""
    hint_zh: str = ""
    long: bool = False  # several lines


S3 = (
    Setting(
        "endpoint",
        "S3 endpoint",
        "S3 服务地址",
        hint_en="For s3:// only: https://storage.example:9000, one that the operator allows (source_addresses).",
        hint_zh="仅用于 s3://：https://storage.example:9000，须为运维人员允许的地址（source_addresses）。",
    ),
    Setting("region", "S3 region", "S3 区域"),
    Setting("access_key", "S3 access key", "S3 访问密钥标识"),
    Setting("secret_key", "S3 secret key", "S3 访问密钥", secret=True),
)
ICEBERG = (
    Setting(
        "catalogue",
        "Catalogue",
        "目录服务类型",
        ("rest", "sql"),
        hint_en="The location is its address:"
        " https://catalogue.example for rest; sqlite:////path or postgresql+psycopg://… for sql.",
        hint_zh="位置为其地址：rest 用 https://catalogue.example ；sql 用 sqlite:////路径 或 postgresql+psycopg://…。",
    ),
    Setting(
        "catalogue_name",
        "Name of the catalogue",
        "目录名称",
        hint_en="For sql: the one its tables were made under; default unless given.",
        hint_zh="用于 sql：建表时所用的目录名称，默认为 default。",
    ),
    Setting("warehouse", "Warehouse", "仓库", hint_en="As the catalogue names it.", hint_zh="按目录服务中的名称。"),
    Setting(
        "credential",
        "Catalogue credential",
        "目录服务凭据",
        secret=True,
        hint_en="client:secret, for rest.",
        hint_zh="客户端:密钥，用于 rest。",
    ),
    Setting(
        "token_address",
        "Address of the token",
        "令牌地址",
        hint_en="For rest; the catalogue's own unless given.",
        hint_zh="用于 rest，默认为目录服务自身的令牌地址。",
    ),
    *S3,
)
OPENAPI = (
    Setting(
        "document",
        "OpenAPI document",
        "OpenAPI 文档",
        required=True,
        hint_en="An absolute path in an allowed folder, or its address. JSON, 3.0 or 3.1.",
        hint_zh="允许目录内的绝对路径，或其网址。JSON 格式，3.0 或 3.1。",
    ),
    Setting(
        "operation",
        "Operation",
        "操作",
        required=True,
        hint_en="Its operationId, or its path: /v1/companies.",
        hint_zh="operationId，或路径：/v1/companies。",
    ),
    Setting(
        "rows",
        "Where the rows are",
        "数据行所在位置",
        hint_en="Names with points between: data.items. Empty where the answer is the list itself.",
        hint_zh="以点分隔的名称：data.items。应答本身为列表时留空。",
    ),
    Setting(
        "filters",
        "Conditions the interface takes",
        "接口支持的条件",
        long=True,
        hint_en="One a line: item = parameter, item >= parameter, item <= parameter. Others are tested here.",
        hint_zh="每行一个：信息项 = 参数、信息项 >= 参数、信息项 <= 参数。其他条件由本节点在返回结果上判断。",
    ),
    Setting(
        "parameters",
        "Fixed parameters",
        "固定参数",
        long=True,
        hint_en="One a line: parameter = value.",
        hint_zh="每行一个：参数 = 值。",
    ),
    Setting("paging", "Pages", "分页方式", ("none", "page", "offset", "cursor", "link")),
    Setting("page_parameter", "Parameter of the page, offset or cursor", "页码、偏移量或游标参数"),
    Setting("size_parameter", "Parameter of the page's size", "每页条数参数"),
    Setting("page_size", "Rows a page", "每页条数", hint_en="100 unless given.", hint_zh="默认 100。"),
    Setting("first_page", "Number of the first page", "首页页码", hint_en="1 unless given.", hint_zh="默认 1。"),
    Setting(
        "next_cursor",
        "Where the next cursor is",
        "下一游标所在位置",
        hint_en="Names with points between: meta.next.",
        hint_zh="以点分隔的名称：meta.next。",
    ),
    Setting("authentication", "Authentication", "认证方式", ("none", "header", "query", "basic", "oauth")),
    Setting("key_name", "Name of the header or parameter", "请求头或参数名称"),
    Setting("user", "User, or client", "用户名或客户端标识"),
    Setting("secret", "Key, password or client secret", "密钥、口令或客户端密钥", secret=True),
    Setting(
        "token_address",
        "Address of the token",
        "令牌地址",
        hint_en="For oauth (client credentials).",
        hint_zh="用于 oauth（客户端凭据方式）。",
    ),
    Setting("scope", "Scope of the token", "令牌范围"),
)
SETTINGS: Mapping[str, tuple[Setting, ...]] = {
    "parquet_folder": S3,
    "csv_folder": S3,
    "iceberg": ICEBERG,
    "openapi": OPENAPI,
}


def checked(kind: str, given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The settings of a source as they are kept: by name, without the empty ones.

    raises   BadSourceSetting
    """
    known = {one.name: one for one in SETTINGS.get(kind, ())}
    said = {name: value.strip() for name, value in given.items() if value.strip()}
    for name, value in said.items():
        if name not in known:
            raise BadSourceSetting(name=name[:40], reason="there is none of that name", reason_zh="没有该名称的设置")
        if len(value) > LONGEST or "\0" in value:
            raise BadSourceSetting(name=name, reason="it is too long, or no text", reason_zh="过长或不是文本")
        if known[name].choices and value not in known[name].choices:
            choices = known[name].choices
            raise BadSourceSetting(
                name=name, reason="one of " + ", ".join(choices), reason_zh="应为以下之一：" + "、".join(choices)
            )
    for one in known.values():
        if one.required and one.name not in said:
            raise BadSourceSetting(name=one.name, reason="it is needed", reason_zh="必填")
    return tuple(sorted(said.items()))
