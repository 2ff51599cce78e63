"""An operator lets another organisation's connector in by command line, as the how-to says, and both outlive kills."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests import dsp_messages
from tests.journeys.people import staff
from tests.nodes import CommandFailed, Node, Region, until
from tests.web import Web

PARTNER = "did:web:partner.example"
MARKET = "11370800MB28559184"
OURS = "urn:uuid:01938f6e-2b1c-7000-8000-0000000000c1"
# The officer's description and the head's signature, in one process instead of five.
PUBLISH = """
import json
from hutong.control.catalogue import actions
from hutong.control.catalogue.queries import dataset
from hutong.control.identity.queries import account
wang, zhao = account("wang"), account("zhao")
source = actions.register_source(wang, name="登记", kind="csv", location={file!r})
resource = actions.draft_resource(wang, source.id)
items = [{{"name": "code", "title_zh": "编号", "grade": 1}}, {{"name": "name", "title_zh": "名称", "grade": 1}}]
actions.describe(wang, resource.id, {description!r}, items)
actions.sign_off(zhao, resource.id)
actions.review(account("supervisor"), actions.submit(wang, resource.id).id)
print(json.dumps(dataset(resource.id)))
"""
DESCRIPTION = {
    "title_zh": "企业登记信息",
    "summary_zh": "企业名称与代码",
    "keywords": ["企业"],
    "category": "basic",
    "theme": "legal_entity",
    "data_format": "csv",
    "update_cycle": "3",
    "attribute": "conditional",
    "conditions": "仅限科研",
    "permitted_purposes": ["licensing"],
    "sharing_modes": ["interface"],
    "national_level": "general",
    "source_system": "企业登记系统",
    "business_matter": "企业登记",
}


@pytest.fixture
def node(tmp_path: Path) -> Any:
    with Region(tmp_path) as region:
        made = region.make("100000")
        staff(made, MARKET, "市场监督管理局", "Market", {"wang": "officer", "zhao": "head", "supervisor": "supervisor"})
        made.start()
        yield made


def published(node: Node, folder: Path) -> dict[str, Any]:
    file = folder / "companies.csv"
    file.write_text("code,name\n1,甲\n2,乙\n", encoding="utf-8")
    dataset: dict[str, Any] = node.python(PUBLISH.format(file=str(file), description=DESCRIPTION))
    return dataset


def say(node: Node, token: str, path: str, said: str | None = None, **members: Any) -> tuple[int, dict[str, Any]]:
    """One message of the connector's, or a question without one."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    raw = json.dumps(dsp_messages.message(said, **members)).encode() if said else None
    request = urllib.request.Request(f"{node.base_url}/dsp/2025-1{path}", raw, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_from_being_let_in_to_being_shut_out(node: Node, tmp_path: Path) -> None:
    dataset, home = published(node, tmp_path), str(node.home)
    with Web() as web:
        address = web.address
    # Nobody listens there now: the connector is down until it is started again below.
    name = ("--name", "伙伴大学", "--address", address, "--authorization-stdin")
    said = node.hutong("peer", "add", home, PARTNER, *name, given="Bearer what-we-present\n")
    token = said.split("Bearer ")[1].split()[0]
    assert token not in node.hutong("peer", "list", home)

    offer = {**dataset["hasPolicy"][0], "target": dataset["@id"]}
    asked = {"consumerPid": OURS, "callbackAddress": f"{address}/dsp", "offer": offer}
    status, answer = say(node, token, "/negotiations/request", "REQUEST", **asked)
    pid = answer["providerPid"]
    assert (status, answer["state"]) == (201, "REQUESTED")

    restart(node)
    assert say(node, token, "/negotiations/request", "REQUEST", **asked)[1]["providerPid"] == pid
    assert PARTNER in node.hutong("agreement", "inbox", home)
    node.hutong("agreement", "agree", home, pid, "--as", "wang")
    agreement = node.hutong("agreement", "sign", home, pid, "--as", "zhao").split()[1]
    until(lambda: node.json("outbox", home)[0]["attempts"] > 1, what="two attempts")

    restart(node)
    with Web(int(address.rpartition(":")[2])) as web:
        until(lambda: web.heard, within_s=60, what="the agreement")
        pids = {"providerPid": pid, "consumerPid": OURS}
        say(node, token, f"/negotiations/{pid}/agreement/verification", "VERIFICATION", **pids)
        until(lambda: len(web.heard) == 2, within_s=60, what="the event")
    assert [one.path for one in web.heard] == [f"/dsp/negotiations/{OURS}/{end}" for end in ("agreement", "events")]
    assert {one.headers["Authorization"] for one in web.heard} == {"Bearer what-we-present"}
    assert say(node, token, f"/negotiations/{pid}")[1]["state"] == "FINALIZED"
    assert "consumer_signature: not signed by the peer" in node.hutong("agreement", "show", home, agreement)
    assert "what-we-present" not in node.log + str((node.home / "node.db").read_bytes())

    delivered = {"consumerPid": OURS, "agreementId": agreement, "format": "HttpData-PULL"}
    say(node, token, "/transfers/request", "TRANSFER_REQUEST", callbackAddress=f"{address}/dsp", **delivered)
    with pytest.raises(CommandFailed, match="not ended yet"):
        node.hutong("peer", "remove", home, PARTNER)
    node.hutong("agreement", "end", home, agreement, "--cause", "secrecy", "--reason", "保密要求", "--as", "wang")
    node.hutong("peer", "remove", home, PARTNER)
    status, answer = say(node, token, f"/negotiations/{pid}")
    assert (status, answer["code"]) == (401, "unknown_token")


def restart(node: Node) -> None:
    node.kill()
    node.start()
