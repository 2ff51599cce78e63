"""`/dcat-ap/catalog`: what this node publishes, in pages, as DCAT-AP in JSON-LD.

For members, signed like everything between nodes; for anyone where the operator has opened it (`public_catalogue`).

`/hutong/health/resources`: how each published resource stands, for the operator's monitoring.
"""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import dcat_ap, feed, health
from hutong.node import operator
from hutong.node.receiving import Answer, Peer, Raw, problem_answer, reader
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

PATH = "/dcat-ap/catalog"
MEDIA_TYPE = "application/ld+json"
HEALTH_PAGE = 100  # resources


@require_GET
def dcat_ap_catalog(request: HttpRequest) -> HttpResponse:
    """One page; the next one's address stands in it and in the Link header."""
    if current().public_catalogue != "yes" or "Signature-Input" in request.headers:
        return _for_members(request)
    try:
        page = _page(request)
    except Refused as refused:
        return problem_answer(refused)
    return HttpResponse(page.body, content_type=page.content_type, headers=dict(page.headers))


@reader
def _for_members(request: HttpRequest, _peer: Peer) -> Answer:
    return 200, _page(request)


def _page(request: HttpRequest) -> Raw:
    """raises   BadInput"""
    token = request.GET.get("page", "")
    asked = feed.Wish.of_token(token) if token else feed.Wish()
    # Whatever an address says: our own, as they stand now.
    page = feed.page(feed.Wish(after=asked.after, before=asked.before, size=asked.size))
    settings = current()
    held = [dcat_ap.dataset(datasets.read(kept.dataset)) for kept in page.entries]
    base = settings.base_url + PATH
    view: dict[str, object] = {"@id": f"{base}?page={token}" if token else base, "@type": "hydra:PagedCollection"}
    links = []
    for name, wish in (("next", page.next), ("previous", page.previous)):
        if wish is not None:
            address = f"{base}?page={wish.token()}"
            view[f"hydra:{name}"] = {"@id": address}
            links.append(f'<{address}>; rel="{name}"')
    graph = {"@context": dcat_ap.PREFIXES, "@graph": [dcat_ap.catalog(settings, held), view]}
    return Raw(orjson.dumps(graph), MEDIA_TYPE, (("Link", ", ".join(links)),) if links else ())


@require_GET
def resources_health(request: HttpRequest) -> HttpResponse:
    """How the published resources stand, in pages by id: ?after= names the last one known."""
    try:
        operator.check(request.headers.get("Authorization", "").encode())
    except Refused as refused:
        return problem_answer(refused)
    after = request.GET.get("after", "")[:36].replace("\x00", "")
    held = list(health.published().filter(id__gt=after)[: HEALTH_PAGE + 1])
    shown = health.of(held[:HEALTH_PAGE])
    more = held[HEALTH_PAGE - 1].id if len(held) > HEALTH_PAGE else None
    return JsonResponse({"resources": [one.document() for one in shown], "after": more})
