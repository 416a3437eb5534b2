"""RDS's engine versions for DescribeDBEngineVersions, which moto lacks."""

from __future__ import annotations

from urllib.parse import parse_qs
from xml.etree.ElementTree import Element, SubElement, tostring

from sandbox.rules.engines import ENGINES, versions

ACTION = "DescribeDBEngineVersions"


def asked(form: bytes) -> bool:
    """Whether a query-protocol request is DescribeDBEngineVersions."""
    return f"Action={ACTION}".encode() in form


def answer(form: bytes) -> bytes:
    """Return the versions of the engine in *form*, of all engines without one, in one page."""
    wanted = {key: values[0] for key, values in parse_qs(form.decode()).items()}
    root = Element(f"{ACTION}Response", xmlns="http://rds.amazonaws.com/doc/2014-10-31/")
    listed = SubElement(SubElement(root, f"{ACTION}Result"), "DBEngineVersions")
    for engine in ENGINES:
        for version in versions(engine):
            if wanted.get("Engine", engine) == engine and wanted.get("EngineVersion", version) == version:
                entry = SubElement(listed, "DBEngineVersion")
                SubElement(entry, "Engine").text = engine
                SubElement(entry, "EngineVersion").text = version
                SubElement(entry, "DBParameterGroupFamily").text = f"{engine}{version.partition('.')[0]}"
    SubElement(SubElement(root, "ResponseMetadata"), "RequestId").text = "sandbox"
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
