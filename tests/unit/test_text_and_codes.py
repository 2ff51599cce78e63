from __future__ import annotations

import pytest

from hutong.vocabulary.codes import ATTRIBUTES, PURPOSES, UPDATE_CYCLES, strictest
from hutong.vocabulary.text import TextMissing, TextTooLong, TextUnsafe, WrongText, checked


def test_text_is_trimmed_and_otherwise_untouched():
    assert checked("title", "  企业登记'; DROP TABLE resource; -- ", limit=100) == "企业登记'; DROP TABLE resource; --"


@pytest.mark.parametrize("bad", ["a\x00b", "a\nb", "a\x1bb", "a\u202eb", "a\ud800b", "a\x85b"])
def test_control_characters_are_refused_by_position(bad):
    with pytest.raises(TextUnsafe, match="position 2") as refused:
        checked("title", bad, limit=100)
    assert refused.value.status == 400


def test_line_breaks_stand_only_where_lines_are_allowed():
    assert checked("summary", "a\nb\tc", limit=100, lines=True) == "a\nb\tc"
    with pytest.raises(TextUnsafe):
        checked("summary", "a\x00b", limit=100, lines=True)


def test_length_is_counted_in_characters():
    assert checked("title", "中" * 200, limit=200)
    with pytest.raises(TextTooLong, match="201"):
        checked("title", "中" * 201, limit=200)


@pytest.mark.parametrize("value", [None, 5, ["a"], {"a": 1}, b"a"])
def test_anything_but_text_is_refused(value):
    with pytest.raises(WrongText):
        checked("title", value, limit=10)


def test_a_required_field_of_spaces_is_missing():
    with pytest.raises(TextMissing):
        checked("title", "  \t ", limit=10, required=True)


def test_the_strictest_attribute_wins():
    assert strictest(["unconditional", "refused", "conditional"]) == "refused"
    assert strictest(["unconditional", "", "nonsense"]) == "unconditional"
    assert strictest([]) == ""


def test_code_lists_name_their_codes_in_both_languages():
    assert UPDATE_CYCLES.name("3", "zh") == "每日"
    assert UPDATE_CYCLES.name("77") == "77"
    assert [code.code for code in ATTRIBUTES] == ["unconditional", "conditional", "refused"]
    assert "other" not in PURPOSES
    assert PURPOSES["supervision"].name() == "supervision and enforcement"
    assert len(UPDATE_CYCLES) == 9
