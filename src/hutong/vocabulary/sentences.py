"""Sentences that are no refusals: what a node tells a person, in Chinese and English."""

from __future__ import annotations

from typing import Any, ClassVar

from hutong.vocabulary.errors import Language, filled


class Sentence:
    """Something a person should know."""

    # The English sentence is the class's docstring (first paragraph), formatted with the parameters, as in a refusal.
    zh: ClassVar[str] = "请您知悉。"
    code: ClassVar[str] = "notice"

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    def say(self, language: Language = "en") -> str:
        """The sentence people see, in one language."""
        return filled(self.zh if language == "zh" else self.__doc__, self.parameters, language)
