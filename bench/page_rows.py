"""A node of a province that has worked for three years: its catalogue, requests and agreements, written in bulk.

Runs inside the node (see pages.py). Each row is one the node's own code would have written; titles, departments, states
and days are spread as in a large province: few departments have most of the requests, few words stand in most titles,
what is open is recent.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Model

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import federation
from hutong.control.catalogue import terms as words
from hutong.control.catalogue.models import ChangeClock, Entry, EntryTerm, Item, Resource
from hutong.control.clocks import actions as clocks
from hutong.control.clocks.models import Clock
from hutong.control.conduct import ending
from hutong.control.conduct.models import EndedAgreement
from hutong.control.identity.models import Account
from hutong.control.metering import actions as meters
from hutong.control.organisations.models import Department
from hutong.control.oversight.actions import keep_up
from hutong.control.oversight.tally import tally
from hutong.control.requests.models import ShareRequest
from hutong.exchange.models import ExchangeRecord
from hutong.node.models import Member
from hutong.node.settings import current
from hutong.vocabulary.ids import urn, uuid_of

SEED = 809
YEARS = 3
ORIGINS = ("320000", "310000", "330000", "340000")
NAMES = {"310000": ("上海市", "Shanghai"), "330000": ("浙江省", "Zhejiang"), "340000": ("安徽省", "Anhui")}
CITIES = (
    ("南京市", "Nanjing"), ("苏州市", "Suzhou"), ("无锡市", "Wuxi"), ("常州市", "Changzhou"), ("南通市", "Nantong"),
    ("扬州市", "Yangzhou"), ("镇江市", "Zhenjiang"), ("泰州市", "Taizhou"),
    ("盐城市", "Yancheng"), ("徐州市", "Xuzhou"),
    ("淮安市", "Huai'an"), ("宿迁市", "Suqian"), ("连云港市", "Lianyungang"),
    ("杭州市", "Hangzhou"), ("宁波市", "Ningbo"),
    ("嘉兴市", "Jiaxing"), ("湖州市", "Huzhou"), ("合肥市", "Hefei"), ("芜湖市", "Wuhu"), ("黄浦区", "Huangpu"),
)  # fmt: skip
OFFICES = (
    ("市场监督管理局", "Market Regulation", "market"), ("公安厅", "Public Security", "safety"),
    ("民政厅", "Civil Affairs", "population"), ("人力资源和社会保障厅", "Human Resources", "employment"),
    ("自然资源厅", "Natural Resources", "geography"), ("生态环境厅", "Ecology and Environment", "environment"),
    ("住房和城乡建设厅", "Housing", "housing"), ("交通运输厅", "Transport", "transport"),
    ("农业农村厅", "Agriculture", "agriculture"), ("卫生健康委员会", "Health", "health"),
    ("教育厅", "Education", "education"), ("税务局", "Taxation", "taxation"),
    ("医疗保障局", "Medical Insurance", "health"),
    ("文化和旅游厅", "Culture and Tourism", "culture"), ("应急管理厅", "Emergency", "safety"),
    ("发展和改革委员会", "Development and Reform", "credit"),
)  # fmt: skip
SUBJECTS = (
    ("企业登记信息", "registered companies"), ("个体工商户登记信息", "registered sole traders"),
    ("行政许可信息", "administrative licences"), ("行政处罚信息", "administrative penalties"),
    ("婚姻登记信息", "marriage registrations"), ("户籍人口信息", "registered population"),
    ("社会保险参保信息", "social insurance members"), ("不动产登记信息", "real estate registrations"),
    ("建筑工程施工许可信息", "construction permits"), ("道路运输经营许可信息", "road transport licences"),
    ("空气质量监测数据", "air quality monitoring"), ("水质监测数据", "water quality monitoring"),
    ("排污许可信息", "pollution permits"), ("医疗机构执业许可信息", "medical institution licences"),
    ("学历证书信息", "education certificates"), ("纳税信用等级信息", "tax credit ratings"),
    ("医保结算信息", "medical insurance settlements"), ("农产品质量检测数据", "farm produce tests"),
    ("旅行社信息", "travel agencies"), ("危险化学品企业信息", "dangerous chemicals companies"),
    ("残疾人证信息", "disability certificates"), ("低保对象信息", "minimum living allowance"),
    ("机动车登记信息", "registered motor vehicles"), ("食品经营许可信息", "food business licences"),
)  # fmt: skip
RARE = (
    ("渔船检验证书", "fishing vessel surveys"),
    ("古树名木", "ancient trees"),
    ("蚕种生产许可", "silkworm egg permits"),
)
ITEM_NAMES = (
    ("name", "名称", "name"), ("code", "统一社会信用代码", "unified social credit code"),
    ("address", "地址", "address"),
    ("registered_on", "登记日期", "date of registration"), ("valid_to", "有效期至", "valid until"),
    ("issuer", "发证机关", "issuing authority"), ("state", "状态", "state"), ("area", "行政区划", "area"),
)  # fmt: skip
PURPOSES = ("licensing", "government_service", "supervision", "credit", "statistics", "environment")
ONE_RARE_IN = 2_000


@dataclass(frozen=True)
class Office:
    code: str
    zh: str
    en: str
    theme: str


class Writer:
    """Rows of one model, written past the ORM: every column at its default unless a row says otherwise."""

    def __init__(self, model: type[Model]) -> None:
        fields = [one for one in model._meta.concrete_fields if not _generated(one)]
        blank = model()
        self.columns = [one.column for one in fields]
        self.table = model._meta.db_table
        self._names = [one.attname for one in fields]
        self._blank = [one.get_db_prep_save(_default(one, blank), connection) for one in fields]
        self._blank = [_plain(value) for value in self._blank]

    def row(self, **values: Any) -> list[Any]:
        row = list(self._blank)
        for name, value in values.items():
            row[self._names.index(name)] = value
        return row

    def write(self, rows: Iterable[list[Any]]) -> None:
        names = ", ".join(f'"{one}"' for one in self.columns)
        with _without_indexes(self.table), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f'COPY "{self.table}" ({names}) FROM STDIN') as copy:
                    for row in rows:
                        copy.write_row(row)
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what is still to be checked bars new indexes
                return
            marks = ", ".join("?" * len(self.columns))
            cursor.cursor.connection.executemany(f'INSERT INTO "{self.table}" ({names}) VALUES ({marks})', rows)


def seed(*, entries: int, requests: int) -> None:
    """Write the whole province. A million requests take about two minutes on one core."""
    chance = random.Random(SEED)
    now = datetime.now(UTC)
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=OFF")  # what breaks off here is thrown away and written anew
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-200000")
    with transaction.atomic():
        _members(now)
        offices = _offices()
        documents = list(_documents(entries, offices, chance, now))
        start = ChangeClock.objects.get_or_create(id=1)[0].last  # before: nothing can be asked while rows are copied in
        Writer(Entry).write(_entries(documents, now, start))
        ChangeClock.objects.update(last=start + len(documents) + 1)
        Writer(EntryTerm).write(_terms(documents))
        ours = [one.id for one in documents if one.origin == current().jurisdiction]
        others = [(one.id, one.origin) for one in documents if one.origin != current().jurisdiction]
        dealings = list(_dealings(requests, offices, ours, others, chance, now))
        Writer(ShareRequest).write(_requests(dealings))
        Writer(Negotiation).write(_negotiations(dealings))
        Writer(Clock).write(_clocks(dealings, chance))
        Writer(Agreement).write(_agreements(dealings))
        Writer(EndedAgreement).write(_ends(dealings))
        Writer(ExchangeRecord).write(_exchanges(dealings, chance, now))
        _accounts(offices[0])
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.fetchall()
    for duty in (clocks.look, ending.look, meters.make_due, tally, keep_up):  # today's: no page waits for them
        duty()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("CHECKPOINT")


def _members(now: datetime) -> None:
    for code, (zh, en) in NAMES.items():
        address = f"http://127.0.0.1:9/{code}"
        Member.objects.create(jurisdiction=code, name_zh=zh, name_en=en, place="province", base_url=address,
                              exchange_url=address, valid_from=now, version=1)  # fmt: skip


def _offices() -> list[Office]:
    """Sixteen offices; the first have most of the work."""
    made = [Office(f"1132000000000{n:03d}XX", zh, en, theme) for n, (zh, en, theme) in enumerate(OFFICES)]
    Department.objects.bulk_create([Department(code=one.code, name_zh=one.zh, name_en=one.en) for one in made])
    return made


def _accounts(office: Office) -> None:
    for name, department in (("officer", office.code), ("head", office.code), ("supervisor", None)):
        Account.objects.create(username=f"bench-{name}", role=name, department_id=department)


def _documents(
    count: int, offices: list[Office], chance: random.Random, now: datetime
) -> Iterator[datasets.EntryDocument]:
    first = _first(offices[0], now)
    heavier = list(accumulate(1 / (n + 1) for n in range(len(offices))))
    for n in range(count):
        zh, en = RARE[n % len(RARE)] if n % ONE_RARE_IN == 7 else chance.choice(SUBJECTS)
        city_zh, city_en = chance.choice(CITIES)
        office = chance.choices(offices, cum_weights=heavier)[0]
        at = now - timedelta(seconds=(count - n) * YEARS * 365 * 86400 / count)
        yield replace(
            first,
            id=_uuid(1, n),
            origin=chance.choices(ORIGINS, (4, 2, 2, 2))[0],
            published_at=at,
            title_zh=f"{city_zh}{zh}",
            title_en=f"{city_en} {en}",
            summary_zh=f"{city_zh}{office.zh}登记的{zh}，含名称、代码、日期和状态",
            summary_en=f"{en.capitalize()} kept by {office.en}, {city_en}",
            keywords=(zh[:2], zh[-4:-2]),
            department_code=office.code,
            department_name=f"{city_zh}{office.zh}",
            department_name_en=f"{city_en} {office.en}",
            theme=office.theme,
            update_cycle=chance.choice("345678"),
            attribute=chance.choices(("unconditional", "conditional", "refused"), (5, 4, 1))[0],
            items=first.items[: chance.randint(4, len(first.items))],
        )


def _first(office: Office, now: datetime) -> datasets.EntryDocument:
    resource = Resource(
        id=str(uuid.uuid4()), department=Department(code=office.code, name_zh=office.zh, name_en=office.en),
        title_zh="甲", title_en="A", summary_zh="乙", keywords=["丙"], theme=office.theme, category="departmental",
        data_format="database", update_cycle="3", attribute="unconditional", source_system="业务系统",
        sharing_modes=["interface"],
    )  # fmt: skip
    items = [Item(name=name, title_zh=zh, title_en=en, type="string") for name, zh, en in ITEM_NAMES]
    made = datasets.build(resource, items, current(), state="published", version=1, published_at=now)
    _first.dataset = made  # type: ignore[attr-defined]
    return federation.sign(made).document


def _entries(documents: list[datasets.EntryDocument], now: datetime, start: int) -> Iterator[list[Any]]:
    writer, template = Writer(Entry), _first.dataset  # type: ignore[attr-defined]
    at = _moment(now)
    texts = ("title_zh", "title_en", "department_name", "department_code", "attribute", "update_cycle", "theme")
    for n, one in enumerate(documents):
        kept = template["hutong:entry"] | {
            "origin": one.origin, "attribute": one.attribute, "theme": one.theme, "update_cycle": one.update_cycle,
            "items": template["hutong:entry"]["items"][: len(one.items)],
            "department": {"code": one.department_code, "name_zh": one.department_name,
                           "name_en": one.department_name_en},
        }  # fmt: skip
        dataset = template | {
            "@id": one.id, "dct:title": _texts(one.title_zh, one.title_en),
            "dct:description": _texts(one.summary_zh, one.summary_en), "dcat:keyword": list(one.keywords),
            "hutong:entry": kept,
        }  # fmt: skip
        yield writer.row(
            id=one.id, origin=one.origin, version=1, change=start + n + 1, state="published", grade=one.grade,
            dataset=_json(dataset), signature="0" * 88, keyid="bench", published_at=_moment(one.published_at),
            received_at=at, **{name: getattr(one, name) for name in texts},
        )  # fmt: skip


def _terms(documents: list[datasets.EntryDocument]) -> Iterator[list[Any]]:
    writer, found = Writer(EntryTerm), lru_cache(maxsize=None)(lambda text: tuple(words_of(text)))
    words_of, words.terms = words.terms, found  # type: ignore[assignment]
    try:
        for one in documents:
            for term, weight in words.weighted_terms(one).items():
                yield writer.row(term=term, entry_id=one.id, weight=weight)
    finally:
        words.terms = words_of


@dataclass(frozen=True)
class Dealing:
    """One request, with what became of it."""

    n: int
    role: str
    office: Office
    resource_id: str
    peer: str
    at: datetime
    state: str  # of the negotiation
    own_state: str  # of the request we filed
    purpose: str

    @property
    def pid(self) -> str:
        return urn(_uuid(2, self.n))

    @property
    def request_id(self) -> str:
        return _uuid(3, self.n)

    @property
    def agreed(self) -> bool:
        return self.state == "FINALIZED" and self.n % 6 == 0  # the rest have ended and been put away

    @property
    def ends(self) -> datetime:
        """The end of its term."""
        return self.at + timedelta(days=365)


ASKED = {"REQUESTED": "signed_off", "OFFERED": "signed_off", "FINALIZED": "agreed", "TERMINATED": "refused"}


def _dealings(
    count: int, offices: list[Office], ours: list[str], others: list[tuple[str, str]], chance: random.Random,
    now: datetime,
) -> Iterator[Dealing]:  # fmt: skip
    """Six in ten are asked of us; what is younger than two weeks is mostly open."""
    heavier = list(accumulate(1 / (n + 1) for n in range(len(offices))))
    step_s = YEARS * 365 * 86400 / count
    for n in range(count):
        at = now - timedelta(seconds=(count - n) * step_s)
        young = now - at < timedelta(days=14)
        states = ("REQUESTED", "OFFERED", "FINALIZED", "TERMINATED")
        state = chance.choices(states, (70, 10, 15, 5) if young else (0, 0, 88, 12))[0]
        role = "provider" if chance.random() < 0.6 else "consumer"
        resource_id, peer = (
            (chance.choice(ours), chance.choice(ORIGINS[1:])) if role == "provider" else chance.choice(others)
        )
        own = chance.choice(("filed", "signed_off")) if state == "REQUESTED" else ASKED[state]
        yield Dealing(
            n, role, chance.choices(offices, cum_weights=heavier)[0], resource_id, peer, at, state, own,
            chance.choice(PURPOSES),
        )  # fmt: skip


def _asked(one: Dealing) -> dict[str, Any]:
    return {
        "items": [name for name, _, _ in ITEM_NAMES[:5]], "where": None, "mode": "interface", "term_days": 365,
        "purpose": one.purpose, "quota_calls_per_day": 10_000,
        "basis": "《中华人民共和国行政许可法》第二十九条、第三十四条",
        "scenario": "办理跨省通办事项时核对申请人的登记信息",
        "scope": "仅限窗口受理人员在办件时逐条核对，不留存",
        "department": one.office.code, "department_name": one.office.zh,
    }  # fmt: skip


def _requests(dealings: list[Dealing]) -> Iterator[list[Any]]:
    writer = Writer(ShareRequest)
    for one in dealings:
        if one.role == "consumer":
            asked, at = _asked(one), _moment(one.at)
            sent = one.own_state != "filed"
            yield writer.row(
                id=one.request_id, department_id=one.office.code, resource_id=one.resource_id, provider=one.peer,
                filed_by="wang", state=one.own_state, basis=asked["basis"], scenario=asked["scenario"],
                scope=asked["scope"], items=_json(asked["items"]), mode="interface", term_days=365,
                purpose=one.purpose, created_at=at, filed_at=at, signed_off_at=at if sent else None,
                answered_at=at if one.own_state in ("agreed", "refused") else None,
                negotiation_id=one.pid if sent else "",
            )  # fmt: skip


def _negotiations(dealings: list[Dealing]) -> Iterator[list[Any]]:
    writer = Writer(Negotiation)
    for one in dealings:
        if one.role == "provider" or one.own_state != "filed":
            asked, at = _asked(one), _moment(one.at)
            offer = {"@id": one.pid, "@type": "Offer", "target": one.resource_id, "permission": [{"action": "use"}]}
            yield writer.row(
                pid=one.pid, role=one.role, peer=one.peer, peer_pid=urn(_uuid(4, one.n)), state=one.state,
                dataset_id=one.resource_id, offer=_json(offer), terms=_json(asked), created_at=at, updated_at=at,
                due_at=_day(one.at + timedelta(days=14)) if one.role == "provider" else None,
                request_id=one.request_id if one.role == "consumer" else "", department=one.office.code,
                refusal_code="purpose_not_permitted" if one.state == "TERMINATED" else "",
            )  # fmt: skip


def _clocks(dealings: list[Dealing], chance: random.Random) -> Iterator[list[Any]]:
    """The reply to each request we received: one in twenty was late."""
    writer = Writer(Clock)
    for one in dealings:
        if one.role == "provider":
            due, running = one.at + timedelta(days=14), one.state == "REQUESTED"
            took = timedelta(days=chance.randint(15, 25) if chance.random() < 0.05 else chance.randint(1, 13))
            met = None if running else min(one.at + took, datetime.now(UTC))
            yield writer.row(
                id=_uuid(7, one.n), rule="D809-21/conditional_reply_late", subject=f"negotiation:{one.pid}",
                department=one.office.code, role="officer", title_zh="答复", title_en="Reply", received_on=_day(one.at),
                days=10, due_on=_day(due), met_on=_day(met) if met else None, created_at=_moment(one.at),
                changed_at=_moment(one.at), state="running" if met is None else "late" if met > due else "met",
                page=_json(["negotiation", uuid_of(one.pid)]),
            )  # fmt: skip


def _agreements(dealings: list[Dealing]) -> Iterator[list[Any]]:
    writer = Writer(Agreement)
    for one in dealings:
        if one.agreed:
            document = {"@id": _agreement(one), "@type": "Agreement", "target": one.resource_id,
                        "hutong:terms": _asked(one)}  # fmt: skip
            yield writer.row(
                id=_agreement(one), negotiation_id=one.pid, role=one.role, peer=one.peer, resource_id=one.resource_id,
                title="", document=_json(document), digest="sha256:" + "0" * 64, department=one.office.code,
                state="active" if one.ends > datetime.now(UTC) else "ended", starts_at=_moment(one.at),
                ends_at=_moment(one.ends), created_at=_moment(one.at),
            )  # fmt: skip


def _ends(dealings: list[Dealing]) -> Iterator[list[Any]]:
    """The agreements whose term is over: noticed, and their data disposed of."""
    writer, now = Writer(EndedAgreement), datetime.now(UTC)
    for one in dealings:
        if one.agreed and one.ends <= now:
            at = _moment(one.ends)
            yield writer.row(
                agreement_id=_agreement(one), how="expired", ended_at=at, due_on=_day(one.ends), disposed_at=at
            )


def _exchanges(dealings: list[Dealing], chance: random.Random, now: datetime) -> Iterator[list[Any]]:
    """Half as many exchanges as requests, most of them lately."""
    writer, agreed = Writer(ExchangeRecord), [one for one in dealings if one.agreed]
    last_year = agreed[-len(agreed) // 3 :]
    for n in range(len(dealings) // 2):
        one = chance.choice(last_year)
        at = now - timedelta(days=365) * (1 - 2 * n / len(dealings)) ** 2
        yield writer.row(
            exchange_id=_uuid(5, n), role=one.role, peer=one.peer, agreement_id=_agreement(one), purpose=one.purpose,
            case_digest="sha256:" + "0" * 64, outcome="served" if chance.random() < 0.98 else "refused",
            code="", form="json", rows=1, bytes=300, request_digest="sha256:" + "0" * 64,
            entry_digest="sha256:" + "0" * 64, at=_moment(at), took_ms=5,
        )  # fmt: skip


def _agreement(one: Dealing) -> str:
    return urn(_uuid(6, one.n))


def _uuid(kind: int, n: int) -> str:
    return f"{kind:08d}-0000-7000-8000-{n:012d}"


def _texts(zh: str, en: str) -> list[dict[str, str]]:
    return [{"@language": "zh", "@value": zh}, {"@language": "en", "@value": en}]


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _moment(at: datetime) -> Any:
    return _plain(connection.ops.adapt_datetimefield_value(at))


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _plain(value: Any) -> Any:
    """A value as COPY and executemany take it."""
    return orjson.dumps(value.adapted.obj if hasattr(value, "adapted") else value.obj).decode() if (
        hasattr(value, "obj") or hasattr(value, "adapted")
    ) else value  # fmt: skip


def _generated(field: Any) -> bool:
    return field.get_internal_type() in ("BigAutoField", "AutoField")


def _default(field: Any, blank: Model) -> Any:
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return datetime.now(UTC)
    return getattr(blank, field.attname)


class _without_indexes:
    """The table's plain indexes, dropped for the while and made again: in order, not row by row."""

    def __init__(self, table: str) -> None:
        self.table = table

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s "
                               "AND sql IS NOT NULL", [self.table])  # fmt: skip
            else:
                cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname NOT IN "
                               "(SELECT conname FROM pg_constraint)", [self.table])  # fmt: skip
            self.indexes = cursor.fetchall()
            for name, _ in self.indexes:
                cursor.execute(f'DROP INDEX "{name}"')

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            for _name, statement in self.indexes:
                cursor.execute(statement)
