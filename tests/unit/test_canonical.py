"""Canonical JSON against RFC 8785 for the values we sign."""

from __future__ import annotations

import pytest

from hutong.vocabulary.canonical import MAX_INTEGER, canonical_bytes, canonical_digest, digest


def test_the_rfc_8785_sample_without_its_floats():
    # RFC 8785 section 3.2.2 and 3.2.3, with the float array left out.
    value = {
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"\u002f",
        "literals": [None, True, False],
    }
    assert canonical_bytes(value) == (
        '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()
    )


def test_keys_sort_as_in_rfc_8785():
    # RFC 8785 section 3.2.3, without its one key beyond the Basic Multilingual Plane.
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u0080": 5, "\u00f6": 6}
    assert canonical_bytes(value) == '{"\\r":2,"1":4,"\u0080":5,"ö":6,"€":1,"\ufb33":3}'.encode()


def test_control_characters_are_escaped_as_in_rfc_8785():
    # RFC 8785 section 3.2.2.2: two-character escapes where JSON has them, else lower-case hexadecimal; DEL stays.
    assert canonical_bytes("\b\t\n\f\r\x00\x1f\x7f\u2028") == b'"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\xe2\x80\xa8"'


def test_chinese_stays_utf_8_and_nothing_is_normalised():
    assert canonical_bytes({"名": "上海"}) == '{"名":"上海"}'.encode()
    assert canonical_bytes("é") != canonical_bytes("e\u0301")


def test_tuples_are_lists_and_integers_keep_their_digits():
    assert canonical_bytes({"b": (1, -2), "a": MAX_INTEGER}) == b'{"a":9007199254740991,"b":[1,-2]}'


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), MAX_INTEGER + 1, -MAX_INTEGER - 1, b"bytes", {1: 2}, {"\U0001f600": 1}, {"a": [{1}]}, "\ud800"],
)
def test_values_that_two_readers_may_print_differently_are_refused(value):
    with pytest.raises(ValueError, match=r".+"):
        canonical_bytes(value)


def test_digests_name_their_algorithm():
    # SHA-256 of "{}".
    assert canonical_digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest(b"{}") == canonical_digest({})
