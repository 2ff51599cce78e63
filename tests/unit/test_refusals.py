"""Every refusal can be said in both languages, carries a stable code, and tells what to do next."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from collections import Counter

import pytest

import hutong
from hutong.vocabulary.errors import GLOSSARY, NotFound, Refused, Unavailable, WrongState

NOT_IMPORTED = re.compile(r"\.migrations\b|\.__main__\Z|\.django_settings\Z")
TOLD_AGAIN = {"hutong.client.problems.RefusedByNode"}  # says what another node's refusal says
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _every_refusal() -> list[type[Refused]]:
    for module in pkgutil.walk_packages(hutong.__path__, "hutong."):
        if not NOT_IMPORTED.search(module.name):
            importlib.import_module(module.name)
    found: list[type[Refused]] = []
    waiting = [Refused]
    while waiting:
        for one in waiting.pop().__subclasses__():
            name = f"{one.__module__}.{one.__qualname__}"
            if name.startswith("hutong.") and name not in TOLD_AGAIN and one not in found:
                found.append(one)
                waiting.append(one)
    return sorted(found, key=lambda one: (one.__module__, one.__name__))


EVERY = _every_refusal()


def _places(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def _things(template: str) -> set[str]:
    """What a sentence names: `kind` and its Chinese twin `kind_zh` are one thing."""
    return {name.removesuffix("_zh") for name in _places(template)}


@pytest.mark.parametrize("refusal", EVERY, ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_a_refusal_is_said_in_both_languages_and_tells_what_to_do_next(refusal: type[Refused]):
    english = (refusal.__doc__ or "").strip()
    assert english, "the English sentence is the docstring"
    assert "zh" in vars(refusal), "the Chinese sentence is the attribute zh"
    assert CHINESE.search(refusal.zh)
    assert _things(english.split("\n\n")[0]) == _things(refusal.zh), "both sentences name the same things"
    assert refusal.next_en.strip()
    assert CHINESE.search(refusal.next_zh)
    assert refusal.changed_en.strip()
    assert CHINESE.search(refusal.changed_zh)
    assert 400 <= refusal.status < 600
    assert re.fullmatch(r"[a-z][a-z0-9_]*", refusal.code)


def test_no_two_refusals_share_a_code():
    codes = Counter(refusal.code for refusal in EVERY)
    assert not {
        code: [one.__qualname__ for one in EVERY if one.code == code] for code, times in codes.items() if times > 1
    }


def test_a_refusal_is_problem_details_in_both_languages():
    for refusal in EVERY:
        sentences = ((refusal.__doc__ or "").split("\n\n")[0], refusal.zh, refusal.next_en, refusal.next_zh)
        names = set().union(*map(_places, sentences))
        problem = refusal(**dict.fromkeys(names, "x")).problem()
        assert problem["code"] == refusal.code
        assert "{" not in problem["title"] + problem["title_zh"] + problem["next"] + problem["next_zh"]


def test_the_glossary_says_recurring_words_in_chinese_and_leaves_names_alone():
    assert NotFound(what="grant", name="grant").say("zh") == "此处没有授权 grant。"
    assert Unavailable(what="320000").say("zh") == "320000目前没有响应。"
    state = WrongState(what="request", state="filed", possible=["draft", "agreed"])
    assert state.say("zh") == "共享申请处于“待负责人同意”状态，不能执行此操作；可在以下状态执行：草稿、已同意。"
    assert "is filed; it is possible from: draft, agreed" in state.say("en")
    assert (state.problem()["state"], state.problem()["title_zh"]) == ("filed", state.say("zh"))


def test_a_word_given_in_chinese_stands_before_the_glossary():
    assert Unavailable(what="the source", what_zh="地方数据源").say("zh") == "地方数据源目前没有响应。"
    assert all(CHINESE.search(word) for word in GLOSSARY.values())
