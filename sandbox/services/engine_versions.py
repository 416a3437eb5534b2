"""The engine versions that RDS offers, as DescribeDBEngineVersions tells them; moto lacks the action."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

ACTION = "DescribeDBEngineVersions"
OFFERED: Mapping[str, Mapping[int, range]] = {
    "postgres": {15: range(13, 20), 16: range(9, 16), 17: range(5, 12), 18: range(1, 7)},
    "aurora-postgresql": {15: range(12, 20), 16: range(8, 16), 17: range(4, 12)},
}
"""Engine -> major -> minors that a new database can be made with (cfn-lint's table behind its rule W3691)."""


def asked(form: bytes) -> bool:
    """Whether a query-protocol request asks for them."""
    return f"Action={ACTION}".encode() in form


def answer(form: bytes) -> bytes:
    """Return the versions of the engine in *form*, of all engines without one, in one page."""
    wanted = {key: values[0] for key, values in parse_qs(form.decode()).items()}
    root = Element(f"{ACTION}Response", xmlns="http://rds.amazonaws.com/doc/2014-10-31/")
    versions = SubElement(SubElement(root, f"{ACTION}Result"), "DBEngineVersions")
    for engine, majors in OFFERED.items():
        for version in (f"{major}.{minor}" for major, minors in majors.items() for minor in minors):
            if wanted.get("Engine", engine) == engine and wanted.get("EngineVersion", version) == version:
                entry = SubElement(versions, "DBEngineVersion")
                SubElement(entry, "Engine").text = engine
                SubElement(entry, "EngineVersion").text = version
                SubElement(entry, "DBParameterGroupFamily").text = f"{engine}{version.partition('.')[0]}"
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = "sandbox"
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
