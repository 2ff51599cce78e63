"""The evidence: each ledger verified from its files, witnessed by the others, and reconciled between the two sides."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from hutong.demo.region import ANHUI, JIANGSU, SEATS, SHANGHAI, Seat
from hutong.demo.screen import Words
from hutong.demo.stage import Stage


def verify(stage: Stage) -> None:
    """Every node's log, from its files alone, with the key the directory lists for it."""
    stage.screen.chapter(Words("账本", "Ledgers"))
    listed = stage.run(ANHUI, "members", "--json").json()["members"]
    keys = {one["jurisdiction"]: one["log_vkey"] for one in listed}
    stage.show(ANHUI, "ledger verify", "--key", keys[ANHUI.jurisdiction])
    began = perf_counter()
    rows = []
    for seat in SEATS:
        audit = _witnessed_audit(stage, seat, keys[seat.jurisdiction])
        holds = Words("核验通过", "holds") if audit["holds"] else Words("核验不通过", "does not hold")
        rows.append(
            [
                stage.screen.words(Words(seat.name_zh, seat.name_en)),
                f"{audit['size']:,}",
                stage.screen.words(holds),
                f"{audit['witnessed_size']:,}",
                ", ".join(name.rpartition("/")[2] for name in audit["witnesses"]),
            ]
        )
    headings = [
        Words("节点", "node"),
        Words("条目", "entries"),
        Words("仅凭文件核验", "from its files alone"),
        Words("见证至", "witnessed to"),
        Words("见证方", "witnesses"),
    ]
    stage.screen.table(headings, rows)
    stage.screen.done(Words("六本账本全部核验", "Six ledgers verified"), began=began)


def _witnessed_audit(stage: Stage, seat: Seat, key: str) -> dict[str, Any]:
    """The audit of a node's log, once its witnesses have seen all of it."""

    def audited() -> dict[str, Any]:
        said = stage.run(seat, "ledger verify", "--key", key, "--json").json()
        return dict(said) if said["witnessed_size"] == said["size"] else {}

    return stage.until(audited, Words("见证方的联署", "the witnesses' cosignature"), seat)


def reconcile(stage: Stage) -> None:
    """Anhui compares its receipts with those of both providers."""
    for provider in (SHANGHAI, JIANGSU):
        stage.show(ANHUI, "ledger reconcile", provider.jurisdiction)
        began = perf_counter()
        agreed = stage.until(
            lambda peer=provider: _agreed(stage, peer),  # type: ignore[misc]
            Words("最后的回执", "the last receipts"),
            provider,
        )
        stage.screen.done(
            Words(
                f"安徽与{provider.name_zh}：两本账本一致 {agreed} 笔，有出入 0 笔",
                f"Anhui and {provider.name_en}: exchanges the same in both ledgers: {agreed}; differing: 0",
            ),
            began=began,
        )


def _agreed(stage: Stage, provider: Seat) -> int:
    """How many exchanges both ledgers tell alike, once none is too young to judge; 0 until then."""
    found = stage.run(ANHUI, "ledger reconcile", provider.jurisdiction, "--json").json()
    return 0 if found["pending"] or found["unanswered"] else int(found["agreed"])


def prove(stage: Stage) -> None:
    """One receipt, proven to somebody who trusts neither side and has nothing but the file."""
    exchange = stage.facts["exchange"]
    proof = stage.region / "data" / "receipt.tlog-proof"
    stage.show(JIANGSU, "ledger prove", "--exchange", exchange, "--out", proof.name)
    stage.run(JIANGSU, "ledger prove", "--exchange", exchange, "--out", str(proof))
    stage.screen.done(
        Words(
            f"一笔交换的离线证明：{proof.relative_to(stage.region.parent)}",
            f"An offline proof of one exchange: {proof.relative_to(stage.region.parent)}",
        )
    )
