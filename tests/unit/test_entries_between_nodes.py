"""Entries of other nodes: taken under their origin's signature alone, whoever carries them."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import federation, feed, finding, queries
from hutong.control.catalogue.dataset import BadEntry
from hutong.control.catalogue.models import Entry, EntryTerm
from hutong.node import settings as node_settings
from hutong.node.models import OutboxMessage
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import TextTooLong, TextUnsafe
from tests.region import an_item, enrol, neighbour, ourselves, yesterday
from tests.spec import dsp_schemas

pytestmark = pytest.mark.django_db


@pytest.fixture
def anhui():
    ourselves()
    neighbour("yrd", "region")
    return neighbour("340000")


@pytest.fixture
def as_the_keeper(monkeypatch):
    """This node keeps the directory."""
    keeper = replace(node_settings.current(), jurisdiction="yrd", place="region", region="")
    for module in (federation, queries):
        monkeypatch.setattr(module, "current", lambda: keeper)
    monkeypatch.setattr("hutong.node.directory.current", lambda: keeper)
    monkeypatch.setattr("hutong.node.events.current", lambda: keeper)


def test_an_entry_carried_by_the_region_is_found(anhui):
    assert federation.accept(anhui.entry(), "yrd") is True
    found = finding.search("企业登记")
    assert [(one.origin, one.title_en) for one in found.entries] == [("340000", "Registered companies")]
    document = queries.document(found.entries[0].id)
    assert (document.endpoint_url, document.department_code) == (
        "http://340000.example/dsp/2025-1",
        "11370800MB28559184",
    )
    assert [item.name for item in document.items] == ["uscc", "name"]


def test_the_origin_may_send_it_itself_and_a_stranger_may_not(anhui):
    neighbour("330000")
    assert federation.accept(anhui.entry(), "340000")
    with pytest.raises(BadEntry, match="carries no entries"):
        federation.accept(anhui.entry(), "330000")


def test_the_same_again_and_an_older_version_change_nothing(anhui):
    entry_id = new_id()
    second = anhui.entry(entry_id=entry_id, version=2, title_zh="第二版")
    assert federation.accept(second, "yrd") is True
    assert federation.accept(second, "yrd") is False
    assert federation.accept(anhui.entry(entry_id=entry_id, version=1), "yrd") is False
    assert Entry.objects.get().title_zh == "第二版"


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["340000", "yrd"])), min_size=1, max_size=12))
@settings(max_examples=30)
def test_by_however_many_routes_an_entry_comes_it_is_kept_once_in_its_newest_version(arrivals):
    """The origin's clock runs backwards here, version by version: its number alone decides. 4 and 5 withdraw."""
    with transaction.atomic():
        ourselves()
        neighbour("yrd", "region")
        anhui, entry_id = neighbour("340000"), new_id()
        versions = {
            number: anhui.entry(
                entry_id=entry_id,
                version=number,
                state="withdrawn" if number > 3 else "published",
                at=datetime.now(UTC) - timedelta(hours=number),
            )
            for number in range(1, 6)
        }
        newest = 0
        for number, sender in arrivals:
            assert federation.accept(versions[number], sender) is (number > newest)
            newest = max(newest, number)
        kept = Entry.objects.get()
        assert (kept.version, kept.dataset) == (newest, versions[newest]["dataset"])
        assert finding.search("企业登记").total == (1 if newest <= 3 else 0)
        assert [one.dataset for one in feed.page(feed.Wish(feed.ANY, changes=True)).entries] == [kept.dataset]
        transaction.set_rollback(True)


def test_another_content_under_the_same_version_is_refused(anhui):
    entry_id, at = new_id(), datetime.now(UTC)
    federation.accept(anhui.entry(entry_id=entry_id, at=at), "yrd")
    with pytest.raises(BadEntry, match="already published under this version"):
        federation.accept(anhui.entry(entry_id=entry_id, at=at, title_zh="改"), "yrd")


def test_an_id_stays_with_its_origin(anhui):
    zhejiang = neighbour("330000")
    entry_id = new_id()
    federation.accept(anhui.entry(entry_id=entry_id), "yrd")
    with pytest.raises(BadEntry, match="another node"):
        federation.accept(zhejiang.entry(entry_id=entry_id, version=9), "yrd")


def test_a_withdrawn_entry_is_found_no_more_but_can_be_read(anhui):
    entry_id = new_id()
    federation.accept(anhui.entry(entry_id=entry_id), "yrd")
    federation.accept(anhui.entry(entry_id=entry_id, version=2, state="withdrawn"), "yrd")
    assert finding.search("企业").total == 0
    assert finding.search("", {"state": "withdrawn"}).total == 1
    assert queries.entry(entry_id).state == "withdrawn"
    assert EntryTerm.objects.count() == 0


def test_our_own_entry_carried_back_changes_nothing(anhui):
    ours = neighbour_of_our_own_name()
    assert federation.accept(ours, "yrd") is False
    assert Entry.objects.count() == 0


def neighbour_of_our_own_name():
    from hutong.control.organisations.models import Department
    from tests.region import DESCRIPTION, OFFICE, Resource

    resource = Resource(id=new_id(), department=Department(**OFFICE), **DESCRIPTION)
    now = datetime.now(UTC)
    dataset = datasets.build(
        resource, [an_item("a", "甲")], node_settings.current(), state="published", version=1, published_at=now
    )
    return federation.sign(dataset).data()


def changed(data, **extension):
    """The same signature under another content."""
    altered = copy.deepcopy(data)
    altered["dataset"][datasets.EXTENSION] |= extension
    return altered


@pytest.mark.parametrize(
    "extension",
    [{"version": 7}, {"state": "withdrawn"}, {"attribute": "conditional"}, {"grade": 4}, {"items": []}],
)
def test_nobody_on_the_way_changes_an_entry(anhui, extension):
    with pytest.raises(BadEntry, match="signature does not hold"):
        federation.accept(changed(anhui.entry(), **extension), "yrd")


def test_an_entry_signed_by_another_member_is_refused(anhui):
    zhejiang = neighbour("330000")
    forged = zhejiang.sign(anhui.entry()["dataset"])
    with pytest.raises(BadEntry, match="not one the directory lists for its origin"):
        federation.accept(forged, "yrd")


def test_a_key_that_had_ended_signs_nothing_new(anhui):
    shanghai = neighbour("310000")
    from hutong.node.models import Member

    Member.objects.filter(jurisdiction="310000").delete()
    enrol(shanghai.settings, shanghai.keyid, shanghai.private.public_key().public_bytes_raw(), until=yesterday())
    with pytest.raises(BadEntry, match="not valid when it was published"):
        federation.accept(shanghai.entry(), "yrd")
    before = yesterday() - timedelta(days=1)
    assert federation.accept(shanghai.entry(at=before), "yrd")


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: d.pop("hasPolicy"),
        lambda d: d.pop("distribution"),
        lambda d: d.update({"@id": "../../etc/passwd"}),
        lambda d: d.update({"@type": "Catalog"}),
        lambda d: d.update({"@context": ["https://example.org/other"]}),
        lambda d: d.update({"dct:title": []}),
        lambda d: d.update({"dct:title": "title"}),
        lambda d: d.update({"dct:title": [{"@language": "zh", "@value": "长" * 201}]}),
        lambda d: d.update({"dct:title": [{"@language": "zh", "@value": "a\u202eb"}]}),
        lambda d: d.update({"extra": "a\x00b"}),
        lambda d: d.update({"extra": 1.5}),
        lambda d: d.update({"extra": "x" * 800_000}),
        lambda d: d["distribution"][0]["accessService"].update(endpointURL="javascript:alert(1)"),
        lambda d: d[datasets.EXTENSION].update(version=-1),
        lambda d: d[datasets.EXTENSION].update(version=True),
        lambda d: d[datasets.EXTENSION].update(v=2),
        lambda d: d[datasets.EXTENSION].update(published_at="2026-01-01"),
        lambda d: d[datasets.EXTENSION].update(published_at=5),
        lambda d: d[datasets.EXTENSION].update(items={"a": 1}),
        lambda d: d[datasets.EXTENSION].update(items=d[datasets.EXTENSION]["items"] * 2),
        lambda d: d[datasets.EXTENSION]["items"][0].update(sensitive="no"),
        lambda d: d[datasets.EXTENSION]["items"][0].update(grade=9),
        lambda d: d[datasets.EXTENSION].update(department=None),
        lambda d: d.update({datasets.EXTENSION: []}),
    ],
)
def test_a_malformed_entry_is_refused_however_well_signed(anhui, damage):
    dataset = anhui.entry()["dataset"]
    damage(dataset)
    with pytest.raises(BadEntry) as refused:
        federation.accept(anhui.sign(dataset), "yrd")
    assert refused.value.status == 422
    assert Entry.objects.count() == 0


@pytest.mark.parametrize("data", [{}, {"dataset": []}, {"dataset": {}, "keyid": 5}, {"dataset": {}, "keyid": "x"}])
def test_anything_else_is_refused(anhui, data):
    with pytest.raises(BadEntry):
        federation.accept(data, "yrd")


def test_the_keeper_carries_an_entry_to_all_other_members(anhui, as_the_keeper):
    neighbour("330000")
    assert federation.accept(anhui.entry(), "340000")
    assert sorted(OutboxMessage.objects.values_list("peer", flat=True)) == ["320000", "330000"]
    body = orjson.loads(bytes(OutboxMessage.objects.first().body))
    assert (body["type"], body["data"]["keyid"]) == ("catalogue.entry", anhui.keyid)


def test_the_data_set_and_the_catalog_are_valid_in_the_official_schemas(real_data, anhui):
    ours = federation.sign(neighbour_of_our_own_name()["dataset"])
    assert dsp_schemas.complaints("catalog/catalog", feed.catalog(feed.page(feed.Wish()))) == []
    federation.store(ours)
    assert dsp_schemas.complaints("catalog/dataset", queries.dataset(ours.document.id)) == []
    catalog = feed.catalog(feed.page(feed.Wish()))
    assert len(catalog["dataset"]) == 1
    assert dsp_schemas.complaints("catalog/catalog", catalog) == []
    refused = anhui.entry(attribute="refused", legal_citation="统计法第九条")["dataset"]
    assert dsp_schemas.complaints("catalog/dataset", refused) == []
    assert "prohibition" in refused["hasPolicy"][0]


def test_a_conditional_offer_names_its_purposes(anhui):
    dataset = anhui.entry(attribute="conditional", permitted_purposes=["credit"], conditions="信用部门")["dataset"]
    constraint = dataset["hasPolicy"][0]["permission"][0]["constraint"]
    assert constraint[1] == {"leftOperand": "purpose", "operator": "isAnyOf", "rightOperand": ["credit"]}


def test_an_offer_is_a_new_one_in_each_version(anhui):
    entry_id = new_id()
    first, second = (anhui.entry(entry_id=entry_id, version=n)["dataset"]["hasPolicy"][0]["@id"] for n in (1, 2))
    assert first != second


def test_only_our_own_published_entries_are_served(anhui):
    federation.accept(anhui.entry(entry_id=(entry_id := new_id())), "yrd")
    for wrong in (entry_id, new_id(), "x' OR 1=1", "\x00", entry_id + " "):
        with pytest.raises(NotFound):
            queries.dataset(wrong)


CATALOGUE = """
title_zh               | title_en                     | attribute     | theme        | origin
企业登记信息           | Registered companies         | unconditional | legal_entity | 340000
空气质量日均值         | Daily air quality            | unconditional | environment  | 330000
企业环境处罚信息       | Environmental penalties      | conditional   | environment  | 340000
医院名录               | Hospitals                    | conditional   | health       | 330000
"""


@pytest.fixture
def catalogue(anhui):
    members = {"340000": anhui, "330000": neighbour("330000")}
    for line in CATALOGUE.split("\n")[2:-1]:
        title_zh, title_en, attribute, theme, origin = (cell.strip() for cell in line.split("|"))
        fields = {"title_zh": title_zh, "title_en": title_en, "attribute": attribute, "theme": theme}
        conditional = {"permitted_purposes": ["credit"]} if attribute == "conditional" else {}
        fields |= {"summary_zh": "", "keywords": [], "source_system": "业务系统", **conditional}
        entry = members[origin].entry(items=[an_item("uscc", "统一社会信用代码")], **fields)
        federation.store(federation.verify(entry))


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("企业", {"企业登记信息", "企业环境处罚信息"}),
        ("企业登记", {"企业登记信息"}),
        ("环境 企业", {"企业环境处罚信息"}),
        ("company", {"企业登记信息"}),
        ("COMPANIES", {"企业登记信息"}),
        ("air quality", {"空气质量日均值"}),
        ("医", {"医院名录"}),
        ("信用代码", {"企业登记信息", "空气质量日均值", "企业环境处罚信息", "医院名录"}),
        ("住房", set()),
        ("'; DROP TABLE catalogue_entry; --", set()),
    ],
)
def test_search_finds_chinese_and_english_words(catalogue, text, titles):
    found = finding.search(text)
    assert {one.title_zh for one in found.entries} == titles
    assert found.total == len(titles)


def test_a_word_in_the_title_comes_before_the_same_word_elsewhere(catalogue, anhui):
    deep = anhui.entry(title_zh="法人名册", title_en="", items=[an_item("q", "空气质量")])
    federation.store(federation.verify(deep))
    assert [one.title_zh for one in finding.search("空气质量").entries] == ["空气质量日均值", "法人名册"]


def test_where_no_entry_has_every_word_the_nearest_are_shown(catalogue):
    found = finding.search("企业 医院")
    assert not found.every_word
    assert found.total == 3


def test_filters_and_pages(catalogue):
    assert finding.search("", {"origin": "330000"}).total == 2
    assert finding.search("", {"theme": ["environment", "health"], "attribute": "conditional"}).total == 2
    assert finding.search("企业", {"attribute": "conditional"}).total == 1
    first, second = finding.search("", page=1, size=3), finding.search("", page=2, size=3)
    assert (len(first.entries), len(second.entries), first.total, first.pages) == (3, 1, 4, 2)
    assert not set(first.entries) & set(second.entries)
    assert finding.search("", page=9).entries == ()


def test_facets_count_what_was_found(catalogue):
    facets = finding.search("企业", facets=True).facets
    assert facets["attribute"] == {"conditional": 1, "unconditional": 1}
    assert finding.search("", facets=True).facets["origin"] == {"330000": 2, "340000": 2}


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ({"filters": {"title_zh": "x"}}, BadInput),
        ({"filters": {"origin__contains": "x"}}, BadInput),
        ({"filters": {"grade": "x"}}, BadInput),
        ({"filters": {"theme": "x\x00"}}, TextUnsafe),
        ({"text": "长" * 201}, TextTooLong),
        ({"text": "a\x00b"}, TextUnsafe),
        ({"page": 0}, BadInput),
        ({"size": 101}, BadInput),
    ],
)
def test_a_search_that_cannot_be_meant_is_refused(catalogue, arguments, refusal):
    with pytest.raises(refusal):
        finding.search(**arguments)


def test_text_without_any_word_finds_nothing(catalogue):
    assert finding.search("！！").total == 0
