"""Secrecy labels, search terms and the fields of a description: text in, decisions out, nothing stored."""

from __future__ import annotations

import pytest

from hutong.control.catalogue import fields, secrecy
from hutong.control.catalogue.terms import query_terms, terms
from hutong.exchange.shaping.masks import BadMask
from hutong.vocabulary.text import TextTooLong, TextUnsafe, WrongText


@pytest.mark.parametrize(
    "text",
    [
        "机密",
        "【机密】企业名单",
        "机 密",
        "机\u200b密",
        "绝密★30年",
        "秘密★10年",
        "秘密级文件",
        "工作秘密",
        "内部资料（工作秘密）",
        "国家秘密",
        "不涉及国家秘密，属于工作秘密",
        "TOP SECRET list",
        "State secrets inside",
        "ＴＯＰ ＳＥＣＲＥＴ",
    ],
)
def test_d809_3_secret_label_is_seen(text):
    assert secrecy.label(text)
    with pytest.raises(secrecy.SecretRefused) as refused:
        secrecy.check([("title_zh", text)])
    assert (refused.value.rule, refused.value.parameters["field"]) == ("D809-3", "title_zh")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "企业登记信息",
        "计算机密码应用安全性评估",
        "时机密切相关",
        "飞机密度",
        "数据的机密性和完整性",
        "商业秘密保护案件",
        "本数据不涉及国家秘密、工作秘密",
        "不含任何工作秘密",
        "secretary of state",
    ],
)
def test_ordinary_words_are_no_label(text):
    assert secrecy.label(text) == ""
    secrecy.check([("title_zh", text), ("keywords", [text]), ("count", 5), ("flag", None)])


def test_a_label_in_a_list_is_seen():
    with pytest.raises(secrecy.SecretRefused):
        secrecy.check([("keywords", ["企业", "机密"])])


def test_chinese_is_indexed_by_pairs_and_characters():
    assert list(terms("企业登记")) == ["企", "业", "登", "记", "企业", "业登", "登记"]
    assert query_terms("企业登记") == ["企业", "业登", "登记"]
    assert query_terms("水") == ["水"]
    assert query_terms("水 质") == ["水", "质"]


def test_english_is_found_in_any_number_and_case():
    assert query_terms("Companies REGISTERED_cities") == ["company", "registered", "city"]
    assert list(terms("business address")) == ["business", "address"]
    assert query_terms("ＰＭ２.５日均值") == ["pm2", "5", "日均", "均值"]


@pytest.mark.parametrize("text", ["", "   ", "!!! -- ;", "\u3000，。"])
def test_text_without_words_asks_for_nothing(text):
    assert query_terms(text) == []


def test_sql_words_are_words():
    assert query_terms("'; DROP TABLE entry; -- % _") == ["drop", "table", "entry"]


def test_a_query_is_cut_at_its_limit():
    assert len(query_terms("".join(chr(0x4E00 + n) for n in range(100)))) == 24


def test_fields_are_decoded_strictly():
    given = {"title_zh": " 企业登记 ", "keywords": ["企业", "企业", ""], "sharing_modes": ["interface"], "theme": ""}
    assert fields.read_resource(given) == {
        "title_zh": "企业登记",
        "keywords": ["企业"],
        "sharing_modes": ["interface"],
        "theme": "",
    }


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"titel": "x"}, fields.UnknownField),
        ({"state": "published"}, fields.UnknownField),
        ({"title_zh": 5}, WrongText),
        ({"title_zh": "长" * 201}, TextTooLong),
        ({"summary_zh": "长" * 4001}, TextTooLong),
        ({"title_zh": "a\nb"}, TextUnsafe),
        ({"summary_zh": "a\x00b"}, TextUnsafe),
        ({"update_cycle": "daily"}, fields.WrongValue),
        ({"attribute": "unconditional'; --"}, fields.WrongValue),
        ({"keywords": "企业"}, fields.WrongValue),
        ({"keywords": ["k" * 41]}, TextTooLong),
        ({"keywords": ["k"] * 31}, fields.WrongValue),
        ({"permitted_purposes": ["everything"]}, fields.WrongValue),
        ({"area_code": "32'000"}, fields.WrongValue),
        (["title_zh"], fields.WrongValue),
    ],
)
def test_a_wrong_field_is_refused_before_the_database(given, refusal):
    with pytest.raises(refusal) as refused:
        fields.read_resource(given)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"grade": 5}, fields.WrongValue),
        ({"grade": True}, fields.WrongValue),
        ({"grade": "3"}, fields.WrongValue),
        ({"sensitive": "yes"}, fields.WrongValue),
        ({"mask": {"action": "reveal"}}, BadMask),
        ({"mask": "keep"}, BadMask),
        ({"position": 3}, fields.UnknownField),
    ],
)
def test_a_wrong_item_is_refused_before_the_database(given, refusal):
    with pytest.raises(refusal):
        fields.read_item(given, "items.uscc")


def test_every_limit_fits_its_column():
    from hutong.control.catalogue.models import Item, Resource

    for model, table in ((Resource, fields.RESOURCE_FIELDS), (Item, fields.ITEM_FIELDS)):
        for field in table.values():
            column = model._meta.get_field(field.name)
            if column.max_length and not field.codes:
                assert field.limit <= column.max_length, field.name
            if column.max_length and field.codes:
                assert max(map(len, field.codes.codes)) <= column.max_length, field.name
