"""The Python client, for applications of a department: read what an agreement gives, through one's own node.

    import hutong

    node = hutong.connect("https://node.example.gov.cn", key)
    companies = node.read("urn:uuid:...", items=["name"], where="city = '南京'", purpose="P01", case="2026-0417")
    companies.to_pandas()

Everything but urllib3 is imported when it is first needed.
"""

from __future__ import annotations

from hutong.client.connection import Connection, connect
from hutong.client.files import FileReading
from hutong.client.problems import BrokenAnswer, NodeUnreachable, RefusedByNode
from hutong.client.reading import Reading

__all__ = ["BrokenAnswer", "Connection", "FileReading", "NodeUnreachable", "Reading", "RefusedByNode", "connect"]
