"""What a version of a data element would say otherwise than another. Decides and touches nothing."""

from __future__ import annotations

from hutong.control.catalogue.versions import Difference, kind_of_change
from hutong.control.standards.proposals import Proposal

FIELDS = (
    *("title_zh", "title_en", "type", "length", "unit", "table", "check", "definition", "standard", "aliases"),
    *("valid_from", "valid_to", "replaced_by"),
)


def differences(before: Proposal | None, after: Proposal) -> list[Difference]:
    """In the order of the editor. Against nothing, all that is said at all."""
    old = {**before.head(), **before.document} if before else {}
    new = {**after.head(), **after.document}
    return [
        Difference(name, kind_of_change(old.get(name), new.get(name)), old.get(name), new.get(name))
        for name in FIELDS
        if (old.get(name) or None) != (new.get(name) or None)
    ]
