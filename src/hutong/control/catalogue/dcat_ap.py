"""An entry as DCAT-AP 3.0.1 has it: RDF for catalogues that know nothing of the Dataspace Protocol.

JSON-LD whose context is only prefixes and stands inside, so that nobody fetches anything to read it; every value says
whether it is a text or a thing. It is made from the entry that the origin signed and adds nothing to it.
"""

from __future__ import annotations

import uuid
from typing import Any, Final

from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.models import Attribute
from hutong.node.directory import participant_id
from hutong.node.settings import Settings
from hutong.vocabulary.codes import THEMES
from hutong.vocabulary.ids import urn
from hutong.vocabulary.moments import rfc3339

PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
PROFILE: Final = "https://semiceu.github.io/DCAT-AP/releases/3.0.1"
_AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"
# Update cycle of the national template: the EU's frequency of the same meaning.
_FREQUENCIES: Final = {
    "1": "IRREG",
    "2": "UPDATE_CONT",
    "3": "DAILY",
    "4": "WEEKLY",
    "5": "MONTHLY",
    "6": "QUARTERLY",
    "7": "ANNUAL_2",
    "8": "ANNUAL",
    "9": "OTHER",
}
Node = dict[str, Any]


def dataset(entry: EntryDocument) -> Node:
    """One data set with its distribution, without a context of its own."""
    address = f"{entry.endpoint_url}/catalog/datasets/{entry.id}"
    node = {
        "@id": address,
        "@type": "dcat:Dataset",
        "dct:title": _texts(entry.title_zh, entry.title_en),
        "dct:description": _texts(entry.summary_zh, entry.summary_en),
        "dct:identifier": [_text(urn(entry.id))],
        "dct:modified": [_typed(rfc3339(entry.published_at), "xsd:dateTime")],
        "dct:publisher": [_department(entry)],
        "dct:accessRights": [_rights(entry)],
        "dct:provenance": [{"@type": "dct:ProvenanceStatement", "rdfs:label": [_text(entry.source_system, "zh")]}],
        "dcat:keyword": [_text(word) for word in entry.keywords],
        "dcat:version": [_text(str(entry.version))],
        "dcat:distribution": [_distribution(entry, address)],
    }
    if entry.update_cycle in _FREQUENCIES:
        node["dct:accrualPeriodicity"] = [_thing(f"frequency/{_FREQUENCIES[entry.update_cycle]}", "dct:Frequency")]
    if entry.theme in THEMES:
        node["dcat:theme"] = [_theme(entry.theme)]
    if entry.area_code:
        area = {"@id": f"urn:hutong:area:{entry.area_code}", "@type": "dct:Location"}
        node["dct:spatial"] = [area | {"dct:identifier": [_text(entry.area_code)]}]
    return node


def catalog(settings: Settings, datasets: list[Node]) -> Node:
    """The node's catalogue with these data sets, without a context of its own."""
    zh, en = settings.name_zh or settings.jurisdiction, settings.name_en
    ourselves = participant_id(settings.jurisdiction)
    node = {
        "@id": f"{ourselves}:catalog",
        "@type": "dcat:Catalog",
        "dct:title": _texts(f"{zh}政务数据目录", f"Government data catalogue of {en}" if en else ""),
        "dct:description": _texts(f"{zh}各部门发布的政务数据资源。", "Data resources its departments have published."),
        "dct:publisher": [{"@id": ourselves, "@type": "foaf:Agent", "foaf:name": _texts(zh, en)}],
        "dct:conformsTo": [{"@id": PROFILE}],
    }
    return node | ({"dcat:dataset": datasets} if datasets else {})


def document(node: Node) -> Node:
    """A node that stands alone."""
    return {"@context": PREFIXES, **node}


def _distribution(entry: EntryDocument, address: str) -> Node:
    """What is given out is agreed first and then asked for at a service; there is no file to fetch."""
    node = participant_id(entry.origin)
    service = {
        "@id": uuid.uuid5(uuid.NAMESPACE_URL, entry.endpoint_url).urn,
        "@type": "dcat:DataService",
        "dct:title": _texts(f"{node} 的数据空间协议服务", f"Dataspace Protocol endpoint of {node}"),
        "dcat:endpointURL": [{"@id": entry.endpoint_url, "@type": "rdfs:Resource"}],
    }
    return {
        "@id": f"{address}#distribution",
        "@type": "dcat:Distribution",
        "dcat:accessURL": [{"@id": entry.endpoint_url, "@type": "rdfs:Resource"}],
        "dcat:accessService": [service],
    }


def _department(entry: EntryDocument) -> Node:
    name = _texts(entry.department_name, entry.department_name_en)
    address = f"{participant_id(entry.origin)}:department:{entry.department_code}"
    return {"@id": address, "@type": "foaf:Agent", "foaf:name": name}


def _rights(entry: EntryDocument) -> Node:
    """Shared between departments is not yet public: nothing here is open data."""
    return _thing(
        f"access-right/{'NON_PUBLIC' if entry.attribute == Attribute.REFUSED else 'RESTRICTED'}",
        "dct:RightsStatement",
    )


def _theme(code: str) -> Node:
    names = _texts(THEMES.name(code, "zh"), THEMES.name(code, "en"))
    return {"@id": f"urn:hutong:theme:{code}", "@type": "skos:Concept", "skos:prefLabel": names}


def _thing(path: str, kind: str) -> Node:
    return {"@id": _AUTHORITY + path, "@type": kind}


def _text(text: str, language: str = "") -> Node:
    return {"@value": text, "@language": language} if language else {"@value": text}


def _typed(text: str, kind: str) -> Node:
    return {"@value": text, "@type": kind}


def _texts(zh: str, en: str) -> list[Node]:
    return [_text(text, language) for text, language in ((zh, "zh"), (en, "en")) if text]
