"""Where a parameter comes from and whose it is, in the page's language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components import words

_ARTICLE = re.compile(r"decree 809, article (\d+)\Z")
OWNERS: Mapping[str, Promise] = {
    "NPC": lazy("NPC"),
    "State Council": lazy("State Council"),
    "Zhejiang": lazy("Zhejiang"),
    "data authority": lazy("data authority"),
    "node": lazy("node"),
    "supervisor": lazy("supervisor"),
    "the node's operator": lazy("the node's operator"),
    "the region's office": lazy("the region's office"),
    "the zone's members": lazy("the zone's members"),
}
SOURCES: Mapping[str, Promise] = {
    "Cybersecurity Law, article 23": lazy("Cybersecurity Law, article 23"),
    "Shanghai Data Regulation, article 39": lazy("Shanghai Data Regulation, article 39"),
    "Zhejiang public credit regulation, article 20": lazy("Zhejiang public credit regulation, article 20"),
    "decree 809 names a deadline and leaves its length to the parties": lazy(
        "decree 809 names a deadline and leaves its length to the parties"
    ),
    "decree 809, article 19, which names no share": lazy("decree 809, article 19, which names no share"),
    "decree 809, article 19, which sets no term": lazy("decree 809, article 19, which sets no term"),
    "house rule": lazy("house rule"),
    "house rule: article 24 says “timely”": lazy("house rule: article 24 says “timely”"),
    "house rule: decree 809, article 28, names no term": lazy("house rule: decree 809, article 28, names no term"),
    "national template, update cycle": lazy("national template, update cycle"),
    "statistical disclosure practice": lazy("statistical disclosure practice"),
    "the node's own rule book": lazy("the node's own rule book"),
    "the zone's agreement": lazy("the zone's agreement"),
    "zone agreement of 2022: “periodically”": lazy("zone agreement of 2022: “periodically”"),
}


def source(text: str) -> str:
    if found := _ARTICLE.match(text):
        return _("decree 809, article {number}").format(number=found[1])
    return words.word(SOURCES, text)


def owner(text: str) -> str:
    return words.word(OWNERS, text)
