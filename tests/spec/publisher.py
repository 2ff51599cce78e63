"""A process that keeps entries, for the test of changes side by side: `python -m tests.spec.publisher HOME COUNT`."""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime

from hutong.node.settings import current, setup

home, count = sys.argv[1:]
setup(home)

from django.db import transaction  # noqa: E402 - a node's models need its settings

from hutong.control.catalogue import dataset as datasets  # noqa: E402
from hutong.control.catalogue import federation  # noqa: E402
from hutong.control.catalogue.models import Resource  # noqa: E402
from hutong.control.organisations.models import Department  # noqa: E402
from hutong.vocabulary.ids import new_id  # noqa: E402
from tests.region import DESCRIPTION, OFFICE, an_item  # noqa: E402

for _ in range(int(count)):
    resource = Resource(id=new_id(), department=Department(**OFFICE), **DESCRIPTION)
    now = datetime.now(UTC)
    made = datasets.build(resource, [an_item("a", "甲")], current(), state="published", version=1, published_at=now)
    signed = federation.SignedEntry(made, "", "", datasets.read(made))
    with transaction.atomic():
        federation.store(signed)
        time.sleep(random.uniform(0, 0.01))  # a transaction that goes on after it has its number
    print(resource.id, flush=True)
