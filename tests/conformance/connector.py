"""A plain connector outside the directory, just enough of one to conclude agreements with a node, in either role.

It knows nothing of Hutong's extensions: a token in the header, the protocol's messages in the body. The kit begins its
transfer scenarios with agreements that exist; this is how they come to be.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.serving import Handler, Serving

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
WITHIN_S = 60.0


class Connector(Serving):
    """Listens at `address`, speaks to the node's protocol base `node`."""

    def __init__(self, participant: str, port: int, node: str, token: str) -> None:
        self.participant, self.node, self.token = participant, node, token
        self._heard: dict[str, dict[str, Any]] = {}
        self._news = threading.Condition()
        super().__init__(_handler(self), port, "localhost")

    def conclude_as_consumer(self, dataset: str, offer: dict[str, Any], count: int) -> list[str]:
        """Negotiate `count` agreements over a data set of the node's. returns their ids"""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: self._ask(dataset, offer), range(count)))

    def conclude_as_provider(self, trigger: str, node_id: str, names: list[str]) -> None:
        """Be asked by the node and conclude agreements with these ids; `trigger` makes it ask."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: self._be_asked(trigger, node_id, name), names))

    def _ask(self, dataset: str, offer: dict[str, Any]) -> str:
        ours = f"urn:uuid:{uuid4()}"
        asked = {"consumerPid": ours, "callbackAddress": self.address, "offer": {**offer, "target": dataset}}
        answer = self._say("/negotiations/request", "ContractRequestMessage", asked)
        pids = {"consumerPid": ours, "providerPid": answer["providerPid"]}
        agreement = self._wait(f"/negotiations/{ours}/agreement")["agreement"]
        there = f"/negotiations/{pids['providerPid']}/agreement/verification"
        self._say(there, "ContractAgreementVerificationMessage", pids)
        self._wait(f"/negotiations/{ours}/events")
        return str(agreement["@id"])

    def _be_asked(self, trigger: str, node_id: str, name: str) -> None:
        dataset = f"CONCLUDE-{name}"
        begin = {"providerId": self.participant, "offerId": f"offer-{name}", "datasetId": dataset}
        self._post(trigger, {**begin, "connectorAddress": self.address})
        asked = self._wait(f"/negotiations/request {dataset}")
        pids = {"consumerPid": asked["consumerPid"], "providerPid": _provider_pid(asked)}
        agreement = {
            "@id": name,
            "@type": "Agreement",
            "target": dataset,
            "assigner": self.participant,
            "assignee": node_id,
            "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            "permission": [{"action": "use", "constraint": []}],
        }
        there = f"/negotiations/{pids['consumerPid']}"
        self._say(f"{there}/agreement", "ContractAgreementMessage", {**pids, "agreement": agreement})
        self._wait(f"/negotiations/{pids['providerPid']}/agreement/verification")
        self._say(f"{there}/events", "ContractNegotiationEventMessage", {**pids, "eventType": "FINALIZED"})

    def _say(self, path: str, kind: str, members: dict[str, Any]) -> dict[str, Any]:
        return self._post(self.node + path, {"@context": [CONTEXT], "@type": kind, **members})

    def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def _wait(self, what: str) -> dict[str, Any]:
        with self._news:
            if not self._news.wait_for(lambda: what in self._heard, WITHIN_S):
                raise TimeoutError(f"the node did not say {what} within {WITHIN_S} s")
            return self._heard[what]

    def hear(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Keep a message and answer it as the protocol wants."""
        first = path == "/negotiations/request"
        with self._news:
            self._heard[f"{path} {body['offer']['target']}" if first else path] = body
            self._news.notify_all()
        if not first:
            return 200, {}
        state = {"providerPid": _provider_pid(body), "consumerPid": body["consumerPid"], "state": "REQUESTED"}
        return 201, {"@context": [CONTEXT], "@type": "ContractNegotiation", **state}


def _provider_pid(asked: dict[str, Any]) -> str:
    """The same for a request that comes twice."""
    return f"provider-of-{asked['consumerPid'].removeprefix('urn:uuid:')}"


def _handler(connector: Connector) -> type[Handler]:
    class Listener(Handler):
        def do_POST(self) -> None:
            self.answer(*connector.hear(self.path, json.loads(self.body())))

    return Listener
