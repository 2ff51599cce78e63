"""The official SHACL shapes of DCAT-AP, where the operator has set them: `dcat_shapes` in hutong.toml.

The shapes are published by the EU under their own licence and are not part of Hutong; dcat_rules.py says the same of
what we write. Needs pySHACL: pip install hutong[dcat].
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from hutong.control.catalogue import dcat_ap
from hutong.control.catalogue.rules import GateRule
from hutong.node.settings import BadSetting, current

MOST_FINDINGS = 50  # told at once


class ShapeViolated(GateRule):
    """{focus} does not conform to the shapes of DCAT-AP at {path}: {said}"""

    zh = "{focus} 在 {path} 处不符合 DCAT-AP 形状约束：{said}"
    code = "shape_violated"
    rule = "DCAT-AP-3.0.1"
    next_en = "Complete what is named; where it is not a field of the form, tell the operator of this node."
    next_zh = "请补充所列内容；如不在表单字段中，请告知本节点运维人员。"


def findings(node: dcat_ap.Node) -> list[GateRule]:
    """Where a node falls short of the configured shapes; nothing where none are configured.

    raises   BadSetting
    """
    shapes = configured()
    return [] if shapes is None else violations(node, shapes)


def configured() -> Any | None:
    """The shapes the operator has set, read once and again when the file changes; None where none are set.

    raises   BadSetting when they cannot be read, or pySHACL is not installed
    """
    place = current().dcat_shapes
    if not place:
        return None
    try:
        return load(place, Path(place).stat().st_mtime_ns)
    except OSError as error:
        raise BadSetting(
            name="dcat_shapes", reason=error.strerror or str(error), reason_zh=f"无法读取（{error.strerror}）"
        ) from error


@lru_cache(maxsize=2)
def load(place: str, _written: int = 0) -> Any:
    """A file of shapes as an RDF graph.

    raises   BadSetting, OSError
    """
    try:
        import pyshacl  # noqa: F401 - refused here, before anything is written, when it is missing
        from rdflib import Graph
        from rdflib.exceptions import ParserError
        from rdflib.namespace import SH
    except ImportError as error:
        raise BadSetting(
            name="dcat_shapes",
            reason="it needs pySHACL: pip install hutong[dcat]",
            reason_zh="需要安装 pySHACL：pip install hutong[dcat]",
        ) from error
    text = Path(place).read_bytes()
    try:
        shapes = Graph().parse(data=text, format="turtle")
    except (ParserError, SyntaxError, ValueError) as error:
        raise BadSetting(name="dcat_shapes", reason="it is not Turtle", reason_zh="不是 Turtle 格式") from error
    # The EU's own file names two property shapes of dcat:DataService that it does not hold; a name alone says nothing.
    for shape, part in list(shapes.subject_objects(SH.property)):
        if (part, None, None) not in shapes:
            shapes.remove((shape, SH.property, part))
    if (None, SH.targetClass, None) not in shapes:
        raise BadSetting(name="dcat_shapes", reason="it holds no shapes", reason_zh="其中没有形状约束")
    return shapes


def violations(node: dcat_ap.Node, shapes: Any) -> list[GateRule]:
    """Every result of the validation: focus node, path and message."""
    from pyshacl import validate
    from rdflib.namespace import SH

    conforms, report, _ = validate(graph(node), shacl_graph=shapes, inference="none")
    if conforms:
        return []
    found: list[GateRule] = []
    for result in sorted(report.objects(None, SH.result)):
        said = {name: report.value(result, SH[name]) for name in ("focusNode", "resultPath", "resultMessage")}
        focus, path, message = (str(one or "-")[:300] for one in said.values())
        found.append(ShapeViolated(focus=focus, path=path, said=message))
    return found[:MOST_FINDINGS]


def graph(node: dcat_ap.Node) -> Any:
    """The triples of a node and all it holds, as an rdflib Graph."""
    from rdflib import Graph

    made = Graph()
    _add(made, node)
    return made


def _add(made: Any, node: dcat_ap.Node) -> Any:
    from rdflib import BNode, Literal, URIRef
    from rdflib.namespace import RDF

    subject = URIRef(node["@id"]) if "@id" in node else BNode()
    for name, given in node.items():
        if name == "@type":
            made.add((subject, RDF.type, _iri(given)))
        elif not name.startswith("@"):
            for value in given if isinstance(given, list) else [given]:
                if "@value" in value:
                    kind = _iri(value["@type"]) if "@type" in value else None
                    thing: Any = Literal(value["@value"], lang=value.get("@language"), datatype=kind)
                else:
                    thing = _add(made, value)
                made.add((subject, _iri(name), thing))
    return subject


def _iri(name: str) -> Any:
    from rdflib import URIRef

    prefix, _, local = name.partition(":")
    return URIRef(dcat_ap.PREFIXES[prefix] + local)
