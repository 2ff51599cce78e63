"""What we publish satisfies the official shapes of DCAT-AP 3.0.1, and our own table says yes and no as they do."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyld import jsonld
from rdflib import Graph
from rdflib.compare import isomorphic

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import dcat_ap, dcat_rules, shapes
from hutong.control.catalogue.models import Resource
from hutong.control.organisations.models import Department
from hutong.node.settings import Settings
from hutong.vocabulary import codes
from hutong.vocabulary.text import DIRECTION_MARKS
from tests.conftest import DATA
from tests.region import DESCRIPTION, OFFICE, an_item

SHAPES = DATA / "conformance" / "dcat-ap" / "dcat-ap-3.0.1-SHACL.ttl"
RANGES = DATA / "conformance" / "dcat-ap" / "dcat-ap-3.0.1-ranges.ttl"
pytestmark = pytest.mark.skipif(not SHAPES.is_file(), reason=f"no official shapes under {SHAPES}: set HUTONG_DATA")
NODE = Settings(home=Path("/nowhere"), jurisdiction="320000", name_zh="江苏省", base_url="https://js.example:8443")
MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])

may_stand = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="".join(sorted(DIRECTION_MARKS)))
lines = st.text(may_stand, min_size=1, max_size=20).filter(str.strip)
optional = st.just("") | lines
descriptions = st.fixed_dictionaries(
    {
        "title_zh": lines,
        "title_en": optional,
        "summary_zh": lines,
        "summary_en": optional,
        "keywords": st.lists(lines, max_size=4),
        "category": st.sampled_from(codes.CATEGORIES.codes),
        "theme": st.sampled_from(codes.THEMES.codes),
        "update_cycle": st.sampled_from(codes.UPDATE_CYCLES.codes),
        "attribute": st.sampled_from(codes.ATTRIBUTES.codes),
        "area_code": st.sampled_from(["", "320000", "320102000000"]),
        "source_system": lines,
        "legal_citation": optional,
        "conditions": optional,
    }
)


def entry(**fields: Any) -> datasets.EntryDocument:
    identity = "01938f6e-2b1c-7000-8000-000000000001"
    resource = Resource(id=identity, department=Department(**OFFICE), **(DESCRIPTION | fields))
    now = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)
    items = [an_item("uscc", "统一社会信用代码")]
    return datasets.read(datasets.build(resource, items, NODE, state="published", version=3, published_at=now))


def official(node: dcat_ap.Node, file: Path = SHAPES) -> list[str]:
    return [one.say("en") for one in shapes.violations(node, shapes.load(str(file)))]


@MANY
@given(descriptions)
def test_every_description_that_may_be_published_satisfies_the_official_shapes(fields: dict[str, Any]) -> None:
    node = dcat_ap.dataset(entry(**fields))
    assert official(node) == []
    assert official(node, RANGES) == []
    assert dcat_rules.findings(node) == []


@pytest.mark.parametrize("node", [NODE, replace(NODE, name_zh="", name_en=""), replace(NODE, name_en="Jiangsu")])
def test_a_page_of_the_catalogue_satisfies_them_too(node: Settings) -> None:
    for held in ([], [dcat_ap.dataset(entry())]):
        page = dcat_ap.catalog(node, held)
        assert (official(page), dcat_rules.findings(page)) == ([], [])


CHANGES = ("drop", "to_text", "to_thing", "twice", "no_type", "other_type")
OTHER = {"@value": "又一", "@language": "zh"}


def nodes(node: dcat_ap.Node) -> list[dcat_ap.Node]:
    """A node and all it holds."""
    found = [node]
    for name, values in node.items():
        for value in values if isinstance(values, list) and not name.startswith("@") else []:
            if isinstance(value, dict) and "@value" not in value:
                found += nodes(value)
    return found


def changed(node: dcat_ap.Node, where: int, name: str, change: str) -> dcat_ap.Node:
    """A copy in which one property of one node, or its type, is not as it was."""
    altered = copy.deepcopy(node)
    held = nodes(altered)
    target = held[where % len(held)]
    if change == "no_type":
        target.pop("@type", None)
    elif change == "other_type":
        target["@type"] = "foaf:Agent" if target.get("@type") != "foaf:Agent" else "dct:Location"
    elif name not in target:
        pass
    elif change == "drop":
        del target[name]
    elif change == "to_text":
        target[name] = [OTHER]
    elif change == "to_thing":
        target[name] = [{"@id": "urn:example:thing"}]
    else:
        again = {"@id": "urn:example:again", "@type": "foaf:Agent", "foaf:name": [OTHER]}
        target[name] = [*target[name], again if "@id" in target[name][0] else OTHER]
    return altered


@MANY
@given(
    descriptions,
    st.lists(
        st.tuples(
            st.integers(0, 20),
            st.sampled_from(sorted({name for table in dcat_rules.PROFILE.values() for name in table})),
            st.sampled_from(CHANGES),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_our_table_and_the_official_shapes_say_the_same_of_a_damaged_document(
    fields: dict[str, Any], changes: list[tuple[int, str, str]]
) -> None:
    whole = node = dcat_ap.dataset(entry(**fields))
    for where, name, change in changes:
        node = changed(node, where, name, change)
    assume(node != whole)
    said, ours = official(node), [one.say("en") for one in dcat_rules.findings(node)]
    assert bool(said) is bool(ours), (said, ours)


@pytest.mark.parametrize(
    ("of", "name"),
    [(of, name) for of, table in dcat_rules.PROFILE.items() for name, one in table.items() if one.least],
)
def test_each_mandatory_property_is_named_by_both_when_it_is_missing(of: str, name: str) -> None:
    page = dcat_ap.catalog(NODE, [dcat_ap.dataset(entry())])
    node = next(one for one in nodes(page) if one.get("@type") == of)
    del node[name]
    (ours,) = [one.say("en") for one in dcat_rules.findings(page)]
    assert ours.startswith(f"DCAT-AP wants {name} ")
    prefix, _, local = name.partition(":")
    assert any(dcat_ap.PREFIXES[prefix] + local in one for one in official(page))


def test_dcat_ap_3_0_1_dcat_property_missing_a_title_without_a_letter_is_none() -> None:
    node = dcat_ap.dataset(entry())
    node["dct:title"] = [{"@value": "", "@language": "zh"}]
    assert [one.code for one in dcat_rules.findings(node)] == ["dcat_property_missing"]


@pytest.mark.parametrize(
    "address", ["https://example.org/a b", "no address", "https://example.org/<y>", "https://example.org/\u0000"]
)
def test_dcat_ap_3_0_1_dcat_property_wrong_an_address_that_is_none_is_named(address: str) -> None:
    node = dcat_ap.dataset(entry())
    node["dcat:distribution"][0]["dcat:accessURL"] = [{"@id": address}]
    assert [one.parameters["field"] for one in dcat_rules.findings(node)] == ["dcat:accessURL"]


def test_any_reader_of_json_ld_finds_the_triples_that_were_checked() -> None:
    """PyLD, which is told to fetch nothing, against the graph that the shapes see."""
    held = dcat_ap.catalog(NODE, [dcat_ap.dataset(entry(title_en="Companies", area_code="320000"))])
    text = jsonld.to_rdf(dcat_ap.document(held), {"format": "application/n-quads", "documentLoader": None})
    read, checked = Graph().parse(data=text, format="nt"), shapes.graph(held)
    assert len(checked) > 30
    assert isomorphic(read, checked)
