"""Every sentence of the portal has its Chinese, and both say the same things."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from hutong.portal import wording

LOCALE = "zh_Hans"
PLACE = re.compile(r"%\((\w+)\)s|\{(\w*)\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Sentences that are punctuation and places alone have nothing to say in Chinese characters.
MARKS = {", ", "({text})", "“{text}”"}


@pytest.fixture(scope="module")
def catalogue():
    with wording.catalogue_file(LOCALE).open("rb") as stream:
        return [message for message in read_po(stream, locale=LOCALE) if message.id]


def places(text: str) -> set[str]:
    return {a or b for a, b in PLACE.findall(text)}


def test_the_extractor_finds_sentences_of_code_and_of_templates():
    files = {one.file.rsplit(".", 1)[1] for one in wording.sentences()}
    assert files == {"py", "html"}


def test_no_sentence_lacks_its_chinese():
    assert [f"{one.file}:{one.line} {one.text}" for one in wording.missing(LOCALE)] == []


def test_the_catalogue_keeps_no_sentence_that_nobody_says(catalogue):
    said = {one.text for one in wording.sentences()}
    kept = {message.id if isinstance(message.id, str) else message.id[0] for message in catalogue}
    assert kept - said == set()


def test_chinese_is_chinese_and_names_the_same_things(catalogue):
    for message in catalogue:
        english = message.id if isinstance(message.id, str) else message.id[-1]
        chinese = message.string if isinstance(message.string, str) else message.string[0]
        if english not in MARKS:
            assert CHINESE.search(chinese), english
        count = {"many", "days"} if isinstance(message.id, tuple) else set()
        assert places(chinese) | count == places(english) | count, english
