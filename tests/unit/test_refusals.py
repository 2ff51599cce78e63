"""Every refusal can be said in both languages, carries a stable code, and tells what to do next."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import hutong
from hutong.vocabulary.errors import GLOSSARY, SPOKEN, NotFound, Refused, Unavailable, WrongState

NOT_IMPORTED = re.compile(r"\.migrations\b|\.__main__\Z|\.django_settings\Z")
TOLD_AGAIN = {"hutong.client.problems.RefusedByNode"}  # says what another node's refusal says
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{2}")
ENGLISH_PHRASE = re.compile(r"[A-Za-z]{2}.* |.* [A-Za-z]{2}")
NAMED = {
    "field",
    "folder",
    "header",
    "kind",
    "name",
    "operand",
    "where",
}  # parameters that take a name, which has no space
NAMES = {"GET, HEAD", "GET, POST", "POST"}
SOURCE = Path(hutong.__file__).parent


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


def test_english_words_in_a_refusal_come_with_their_chinese():
    """Every place of the source that makes a refusal: x="words" has x_zh beside it, or its word is in the glossary."""
    classes = {one.__name__: one for one in EVERY}
    half_english = [
        f"{file.relative_to(SOURCE)}:{call.lineno} {name}({word.arg}={ast.unparse(word.value)})"
        for file in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and (name := _called(call)) in classes
        for word in _only_english(call, classes[name])
    ]
    assert half_english == []


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _only_english(call: ast.Call, refusal: type[Refused]) -> Iterator[ast.keyword]:
    spoken = _places(refusal.zh) | _places(refusal.next_zh)
    given = {word.arg for word in call.keywords}
    for word in call.keywords:
        if word.arg is None or word.arg not in spoken or f"{word.arg}_zh" in given:
            continue
        known = {*NAMES, *(GLOSSARY if word.arg in SPOKEN else ())}
        english = ENGLISH_PHRASE if word.arg in NAMED else ENGLISH
        if not word.arg.endswith("_zh") and any(english.search(text) and text not in known for text in _texts(word)):
            yield word


def _texts(node: ast.AST) -> Iterator[str]:
    """The literal words of an expression, and a mark for what another refusal says. Other calls are passed over."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Call):
        if _called(node) == "say":
            yield "what another refusal says"
        elif _called(node) == "join":
            yield from _texts(node.func)
    elif not isinstance(node, (ast.Subscript, ast.Compare)):
        for inner in ast.iter_child_nodes(node):
            yield from _texts(inner)
