"""The ODRL evaluation cases of SolidLab's test suite and of the W3C's formal semantics, as this node would meet them.

Nothing is chosen by hand. A policy is rewritten from its file into the Dataspace Protocol's JSON, member by member:
what its rule says of target and assignee stands on the agreement, as the protocol wants; the rest stays where it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from hutong.control.agreements.operands import ODRL, OPERANDS, bare

TERMS = Namespace(ODRL)
EX = Namespace("http://example.org/")
REPORT = Namespace("https://w3id.org/force/compliance-report#")
DESCRIPTION = URIRef("http://purl.org/dc/terms/description")
ISSUED = URIRef("http://purl.org/dc/terms/issued")
PUBLISHED = "Rule-Activation-Constraint-satisfaction-similarity_test-suite-report.ttl"
LISTS = {"permission", "prohibition", "obligation", "duty", "constraint", "and", "or", "xone", "andSequence"}
JOINED = ("and", "or", "xone")
RULES = ("permission", "prohibition", "obligation")
LIFTED = ("target", "assigner", "assignee")  # from the rule to the agreement


@dataclass(frozen=True)
class Held:
    """One constraint of a policy, alone: does it hold at that moment."""

    name: str  # of the constraint in its suite
    constraint: dict[str, Any]
    at: str
    holds: bool


@dataclass(frozen=True)
class Case:
    """Who asks to do what with which target when, under which policy, and what the suite expects."""

    suite: str
    name: str
    policy_name: str
    policy: dict[str, Any]  # the Dataspace Protocol's JSON, but for what the policy itself lacks
    says: str
    party: str
    action: str
    target: str
    at: str
    active: bool  # the expected state of its rule
    premises: dict[str, bool] = field(default_factory=dict)  # kind of premise report: satisfied
    held: tuple[Held, ...] = ()

    @property
    def inside(self) -> bool:
        """In the subset that docs/odrl.md claims, by the policy's own words and that page's alone."""
        permission = self.policy.get("permission", [])
        others = [name for name in ("prohibition", "obligation", "duty", "profile") if name in self.policy]
        whole = all(isinstance(self.policy.get(name), str) for name in ("target", "assignee"))
        if others or len(permission) != 1 or not whole:
            return False
        (rule,) = permission
        said = words(rule.get("constraint", []))
        return (
            set(rule) <= {"@id", "@type", "action", "constraint"}
            and rule.get("action") in ("use", "read")
            and all(left == "" or (left in OPERANDS and how in OPERANDS[left].operators) for left, how in said)
        )


def words(constraints: Iterable[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Each (left operand, operator) of constraints, and ("", "and") for what joins them."""
    for one in constraints:
        if "leftOperand" in one:
            yield one["leftOperand"], one["operator"]
        elif name := next((name for name in JOINED if one.get(name)), None):
            yield "", name
            yield from words(one[name])
        else:
            yield "?", "?"


def moments(at: str) -> Iterator[datetime]:
    """The time of asking; where the suite gives no zone, that time in every zone of the Earth."""
    if datetime.fromisoformat(at).tzinfo is not None:
        yield datetime.fromisoformat(at)
        return
    for hours in range(-14, 15):
        yield datetime.fromisoformat(f"{at}{hours:+03d}:00")


# --- SolidLab's test suite ------------------------------------------------------------------------------------


def solidlab(folder: Path) -> list[Case]:
    """Every case of the index, by name. The expected report is the suite's own file; where the copy at hand has none,
    the published report of the suite's evaluator, of which the suite says that it equals the expected one.
    """
    index, published = Graph().parse(folder / "index.ttl"), Graph().parse(folder / "results" / PUBLISHED)
    files: dict[Path, Graph] = {}

    def path(case: Node, name: str) -> Path:
        return folder / str(index.value(case, EX[name])).partition("/data/")[2]

    def parsed(file: Path) -> Graph:
        if file not in files:
            files[file] = Graph().parse(file)
        return files[file]

    cases = []
    for one in index.subjects(EX.policySource):
        file, policy = path(one, "expectedReportSource"), path(one, "policySource")
        graphs = [parsed(policy), parsed(path(one, "requestSource")), parsed(path(one, "sotwSource"))]
        if file.is_file():
            expected, report = parsed(file), parsed(file).value(one, EX.expectedReport)
        else:
            expected, report = published, published.value(one, EX.report)
            assert published.value(one, EX.succesfullComparison) == Literal(True), f"nothing tells what {file} expects"
        cases.append(_solidlab_case(file.stem.removeprefix("testcase-"), policy.stem, graphs, expected, report))
    return sorted(cases, key=lambda case: case.name)


def _solidlab_case(name: str, policy_name: str, graphs: list[Graph], expected: Graph, report: Node | None) -> Case:
    policies, requests, world = graphs
    policy = next(policies.subjects(RDF.type, TERMS.Set))
    asked = requests.value(next(requests.subjects(RDF.type, TERMS.Request)), TERMS.permission)
    at = str(next(world.objects(None, ISSUED)))
    (rule,) = expected.objects(report, REPORT.ruleReport)
    premises = list(expected.objects(rule, REPORT.premiseReport))
    return Case(
        suite="SolidLab",
        name=name,
        policy_name=policy_name,
        policy=_lifted(_framed(policies, policy)),
        says=str(policies.value(policy, DESCRIPTION)),
        party=str(requests.value(asked, TERMS.assignee)),
        action=bare(str(requests.value(asked, TERMS.action))),
        target=str(requests.value(asked, TERMS.target)),
        at=at,
        active=expected.value(rule, REPORT.activationState) == REPORT.Active,
        premises={_kind(expected, one): _satisfied(expected, one) for one in premises},
        held=tuple(_held(policies, expected, rule, at)),
    )


def _held(policies: Graph, expected: Graph, report: Node, at: str) -> Iterator[Held]:
    """Every constraint report below a rule's or a constraint's report."""
    for one in expected.objects(report, REPORT.premiseReport):
        constraint = expected.value(one, REPORT.constraint)
        if constraint is not None:
            yield Held(str(constraint), _framed(policies, constraint), at, _satisfied(expected, one))
            yield from _held(policies, expected, one, at)


def _kind(graph: Graph, report: Node) -> str:
    return str(graph.value(report, RDF.type)).rpartition("#")[2]


def _satisfied(graph: Graph, report: Node) -> bool:
    return graph.value(report, REPORT.satisfactionState) == REPORT.Satisfied


def _framed(graph: Graph, node: Node) -> dict[str, Any]:
    """A node of the graph as JSON: what is described there nested, ODRL's words without their prefix."""
    made: dict[str, Any] = {"@id": str(node)}
    for predicate, value in sorted(graph.predicate_objects(node)):
        name = "@type" if predicate == RDF.type else bare(str(predicate))
        if name == "uid":
            continue
        given = _value(graph, value)
        made[name] = [*made.get(name, []), given] if name in LISTS else given
    return made


def _value(graph: Graph, value: Node) -> Any:
    if isinstance(value, Literal):
        return {"@value": str(value), "@type": str(value.datatype)} if value.datatype else str(value)
    if not str(value).startswith(ODRL) and (value, None, None) in graph:
        return _framed(graph, value)
    return bare(str(value))


# --- the W3C's formal semantics -------------------------------------------------------------------------------


def w3c(folder: Path) -> list[Case]:
    """Every evaluation request of the examples, under the policy of the folder above it."""
    cases = []
    for request in sorted((folder / "examples").rglob("evaluationrequest*.json")):
        (report,) = request.parent.glob("compliancereport*.json")
        (policy,) = request.parent.parent.glob("policy*.json")
        cases.append(_w3c_case(request.parent.name, policy.stem, _json(policy), _json(request), _json(report)))
    return cases


def w3c_policies(folder: Path) -> dict[str, dict[str, Any]]:
    """Every policy of the examples, also those nobody asks under."""
    return {file.stem: _lifted(_json(file)) for file in sorted((folder / "examples").rglob("policy*.json"))}


def _json(file: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return read


def _w3c_case(
    name: str, policy_name: str, policy: dict[str, Any], request: dict[str, Any], report: dict[str, Any]
) -> Case:
    reports = [one for one in report.values() if isinstance(one, dict)]
    (outcome,) = (one for one in reports if one.get("@type") == "report:ruleReport")
    at = request["requestParameters"]["value"]["@value"]
    found = (one for rules in RULES for rule in policy.get(rules, []) for one in rule.get("constraint", []))
    constraints = {one["@id"]: one for one in found}
    return Case(
        suite="W3C",
        name=name,
        policy_name=policy_name,
        policy=_lifted(policy),
        says="",
        party=request["evaluatedParty"],
        action=bare(request["evaluatedAction"]),
        target=request["evaluatedTarget"],
        at=at,
        active=outcome["report:activationState"] == "report:Active",
        held=tuple(
            Held(constraint, constraints[constraint], at, one["report:satisfactionState"] == "report:Satisfied")
            for one in reports
            if (constraint := one.get("report:constraint"))
        ),
    )


def _lifted(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy as an agreement of the protocol: what each of its rules is about, once, on the agreement."""
    agreement = {name: value for name, value in policy.items() if name not in RULES} | {"@type": "Agreement"}
    agreement["@id"] = agreement.get("@id") or agreement.pop("uid")
    for rules in (name for name in RULES if name in policy):
        agreement[rules] = []
        for rule in policy[rules]:
            agreement[rules].append({name: value for name, value in rule.items() if name not in LIFTED})
            agreement |= {name: rule[name] for name in LIFTED if name in rule}
    return agreement
