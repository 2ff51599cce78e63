from __future__ import annotations

from hutong.control.organisations.models import Department
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.text import shown


def department(code: str) -> Department:
    """The department with that unified social credit code.

    raises   NotFound
    """
    found = Department.objects.filter(code=code).first() if code.isalnum() and len(code) == 18 else None
    if found is None:
        raise NotFound(what="department", what_zh="部门", name=shown(code, 18))
    return found


def departments() -> list[Department]:
    return list(Department.objects.all())
