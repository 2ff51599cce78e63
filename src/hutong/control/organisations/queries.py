from __future__ import annotations

from hutong.control.organisations.models import Department
from hutong.vocabulary.errors import NotFound


def department(code: str) -> Department:
    """The department with that unified social credit code.

    raises   NotFound
    """
    found = Department.objects.filter(code=code).first()
    if found is None:
        raise NotFound(what="department", name=code[:18])
    return found


def departments() -> list[Department]:
    return list(Department.objects.all())
