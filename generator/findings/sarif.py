"""
Findings as SARIF, which GitHub's code scanning and Azure DevOps' Scans tab show. Pure.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01"; section
numbers are that document's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from generator.findings.located import Located

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""The root of the repository (3.4.4); GitHub takes every relative URI for one of those."""


@dataclass(frozen=True)
class Tool:
    """The tool with the rules."""

    name: str
    version: str
    about: str
    """URL of its page."""
    command: str
    """The command of gatestack that ran it; results of another command do not replace these (3.17.2)."""


def sarif(found: Sequence[Located], tool: Tool) -> str:
    """Return *found* as a SARIF log of one run; files are relative to the repository's root, or absolute."""
    rules = sorted({one.rule for one in found})
    run = {
        "tool": {
            "driver": {
                "name": tool.name,
                "version": tool.version,
                "informationUri": tool.about,
                "rules": [{"id": one} for one in rules],
            }
        },
        "automationDetails": {"id": f"gatestack/{tool.command}/"},
        "results": [_result(one, rules.index(one.rule)) for one in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(one: Located, number: int) -> dict[str, Any]:
    """Return one result; its fingerprint stays when lines move, so that an alert does (3.27.17)."""
    file: dict[str, Any] = {"uri": _uri(one.file)}
    if not one.file.startswith("/"):
        file["uriBaseId"] = ROOT
    place: dict[str, Any] = {"artifactLocation": file}
    if one.line:
        place["region"] = {"startLine": one.line}
    where = f"{one.environment}/{one.stack}/{one.place}"
    mark = sha256("\0".join((one.rule, where, one.message)).encode("utf-8", "replace")).hexdigest()
    return {
        "ruleId": one.rule,
        "ruleIndex": number,
        "level": one.level,
        "message": {"text": str(one)},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": where}]}],
        "partialFingerprints": {"gatestackFinding/v1": mark},
    }


def _uri(file: str) -> str:
    path = quote(file, errors="replace")
    return f"file://{path}" if file.startswith("/") else path
