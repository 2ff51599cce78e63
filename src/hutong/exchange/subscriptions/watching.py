"""Looking for changes, at the provider: a duty of the node, one feed after another.

1. A source that says it has not changed is not read. 2. Found changes lie in a file, whole, before the database names
the round. 3. They are copied into the log a part at a time, each part with its count in one commit; a killed copy goes
on where it was. 4. A consumer that does not keep up is looked for less: the log holds MOST_WAITING events at most, and
several changes of a row between two rounds are one.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import transaction

from hutong.exchange.grants.book import Book, Opened
from hutong.exchange.models import ChangeBatch, ChangeFeed, Source
from hutong.exchange.records import granted_rows
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.sources.changed import last_change
from hutong.exchange.subscriptions import changes, event, feeds, log
from hutong.node import work
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused, Unavailable
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339

LOOK_EVERY_S: Final = 2.0  # how late a change is seen of a source that can say it changed
BLIND_EVERY: Final = timedelta(minutes=5)  # a source that cannot is read so often
WHOLE_EVERY: Final = 20  # rounds: rows that are gone are seen in a whole one only
LOOK_BACK: Final = timedelta(days=2)  # clocks and slow transactions of the source
MOST_WAITING: Final = 100_000  # events logged and not acknowledged
UNLIKE: Final = ("sha256_query",)  # masks that give another value each time
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)

logger = logging.getLogger("hutong.subscriptions")


def look_due() -> None:
    """Look at every source that is due. One that fails holds up no other and is tried again, later each time."""
    book = Book()
    due = ChangeFeed.objects.filter(state="open", look_at__lte=datetime.now(UTC)).order_by("look_at")
    for agreement in list(due.values_list("agreement_id", flat=True)):
        try:
            look(agreement, book)
        except Refused as refused:
            troubled(agreement, refused, "look_at")
        except Exception:
            # The edge of a feed: engines put cell values into their messages, so nothing of the error is kept.
            logger.error("subscription %s could not be looked at", agreement)
            troubled(agreement, Unavailable(what="the subscription", what_zh="该订阅"), "look_at")


def look(agreement: str, book: Book) -> None:
    """One feed: finish the round under way, else begin one where the source may have changed.

    raises   what the source refuses
    """
    fed = ChangeFeed.objects.get(agreement_id=agreement)
    if fed.under_way and not changes.changes_file(feeds.folder_of(agreement), fed.under_way).exists():
        fed.under_way, fed.snapshot, fed.mark = 0, 0, ""  # its files are gone: everything is told anew
    if fed.under_way == 0 and not _begin(fed, book):
        return
    if copy(fed):
        _close(fed)


def copy(fed: ChangeFeed) -> bool:
    """Log what the round under way found, as far as there is room. True when all of it is in the log."""
    folder = feeds.folder_of(fed.agreement_id)
    if fed.anew:
        _begin_anew(fed)
    with pq.ParquetFile(changes.changes_file(folder, fed.under_way)) as found:
        total = found.metadata.num_rows
        passed = 0
        for number in range(found.num_row_groups):
            size = found.metadata.row_group(number).num_rows
            passed += size
            if passed <= fed.copied:
                continue
            if fed.position - fed.acknowledged >= MOST_WAITING:
                fed.refresh_from_db(fields=["acknowledged"])
                if fed.position - fed.acknowledged >= MOST_WAITING:
                    return False
            rows = found.read_row_group(number).combine_chunks().to_batches()[0]
            _append(fed, rows.slice(fed.copied - (passed - size)))
    return fed.copied >= total


def troubled(agreement: str, refused: Refused, which: str) -> None:
    """Note why a feed waits, and try later."""
    fed = ChangeFeed.objects.get(agreement_id=agreement)
    pause = min(FIRST_PAUSE * 2 ** min(fed.failures, 10), LONGEST_PAUSE)
    if fed.trouble.partition(":")[0] != refused.code:
        logger.warning("subscription %s waits: %s", agreement, refused.code)
    ChangeFeed.objects.filter(agreement_id=agreement).update(
        failures=fed.failures + 1,
        trouble=f"{refused.code}: {refused.say('en')}"[:300],
        **{which: datetime.now(UTC) + pause},
    )


def _begin(fed: ChangeFeed, book: Book) -> bool:
    """Read the source, unless it says it is as it was. True when a round is under way."""
    if fed.position - fed.acknowledged >= MOST_WAITING:
        return False
    found = book.open({fed.agreement_id}, datetime.now(UTC).date())
    opened = found.get(fed.agreement_id)
    if opened is None or opened.standing.state != "active":
        return False
    if isinstance(opened.source, Refused):
        raise opened.source
    mark = last_change(opened.spec).mark if opened.spec is not None else ""
    terms = f"{opened.terms.version} {mark}" if mark else ""
    if terms and terms == fed.mark:
        return False
    number = fed.snapshot + 1
    _read(fed, opened, number)
    look_at = datetime.now(UTC) + (timedelta(0) if mark else BLIND_EVERY)
    fed.under_way, fed.copied, fed.next_mark, fed.look_at = number, 0, terms, look_at
    fed.save(update_fields=["snapshot", "under_way", "copied", "anew", "next_mark", "next_seen", "look_at"])
    return True


def _read(fed: ChangeFeed, opened: Opened, number: int) -> None:
    """The rows of now into this round's files; only those that may have changed, where the source can say which."""
    folder = feeds.folder_of(fed.agreement_id)
    item = Source.objects.values_list("changed_item", flat=True).get(id=opened.grant.source)
    fed.next_seen = _highest(opened, item) if item else ""
    before = fed.snapshot if changes.rows_file(folder, fed.snapshot).exists() else 0
    whole = not (item and fed.keys and before and fed.seen) or number % WHOLE_EVERY == 0
    rows = granted_rows(opened, None if whole else Predicate("ge", item, (_looked_back(fed.seen),)))
    if before and not changes.holds(changes.rows_file(folder, before), rows.schema):
        rows.close()
        rows, before, whole = granted_rows(opened), 0, True  # other items or types than before
    fed.anew = before == 0 and fed.position > 0
    unlike = frozenset(one.name for one in opened.grant.items if one.action in UNLIKE)
    telling = changes.Telling(tuple(fed.keys), fed.agreement_id, unlike)
    changes.find(rows, telling, folder, number, before=before, whole=whole)


def _highest(opened: Opened, item: str) -> str:
    """The highest value of the column that says when a row changed, as text."""
    highest: Any = None
    for batch in cast(Any, opened.source).read([item]):
        one = cast(Any, pc).max(batch.column(0)).as_py()
        highest = one if highest is None else max(highest, one) if one is not None else highest
    return "" if highest is None else highest.isoformat() if hasattr(highest, "isoformat") else str(highest)


def _looked_back(seen: str) -> str | int:
    """A little before what was seen: a number only grows; clocks and slow transactions need some room."""
    if seen.lstrip("-").isdigit():
        return int(seen)
    try:
        return (datetime.fromisoformat(seen) - LOOK_BACK).date().isoformat()
    except ValueError:
        return seen


@transaction.atomic
def _begin_anew(fed: ChangeFeed) -> None:
    """The round before is lost, or held other items: what follows is everything, and the consumer is told so."""
    now = datetime.now(UTC)
    _log(fed, [[event.reset(fed.agreement_id, current().jurisdiction, fed.position + 1, rfc3339(now))]], now)
    fed.anew = False
    fed.save(update_fields=["position", "anew"])


@transaction.atomic
def _append(fed: ChangeFeed, rows: pa.RecordBatch) -> None:
    """These changes into the log, with how far the round has come, or nothing of it."""
    now = datetime.now(UTC)
    provider, at = current().jurisdiction, rfc3339(now)
    lots = list(event.bodies(rows, fed.agreement_id, provider, fed.position + 1, at))
    _log(fed, lots, now)
    fed.copied += rows.num_rows
    fed.save(update_fields=["position", "copied"])
    work.wake_on_commit(feeds.PUSHING)


def _log(fed: ChangeFeed, lots: list[list[bytes]], now: datetime) -> None:
    batches = []
    for lot in lots:
        first, last, exchange = fed.position + 1, fed.position + len(lot), new_id()
        head = {
            "exchange": exchange,
            "agreement": fed.agreement_id,
            "purpose": fed.purpose,
            "case": fed.case_digest,
            "first": first,
            "last": last,
        }
        body = event.batch_bytes(head, lot)
        columns = log.row("provider", fed.agreement_id, exchange, body, places=(first, last), at=now)
        batches.append(ChangeBatch(**columns))
        fed.position = last
    ChangeBatch.objects.bulk_create(batches)


def _close(fed: ChangeFeed) -> None:
    """The round is logged whole: it is what the next one is compared with."""
    ChangeFeed.objects.filter(agreement_id=fed.agreement_id).update(
        snapshot=fed.under_way, mark=fed.next_mark, seen=fed.next_seen, under_way=0, copied=0, failures=0, trouble=""
    )
    changes.forget(feeds.folder_of(fed.agreement_id), before=fed.under_way)
