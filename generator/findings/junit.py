"""
Findings as JUnit XML, which Azure Pipelines (PublishTestResults), Jenkins and GitLab show as tests. Pure.

A template without findings is a passing test, each finding a failing one. Elements, their order and the
required attributes are those of Apache Ant's JUnit task, as Windy Road's "JUnit.xsd" describes them; all
other readers use a subset of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from generator.escapes import visible
from generator.findings.located import Located


def junit(found: Sequence[Located], templates: Mapping[str, Sequence[str]], when: datetime) -> str:
    """Return *found* in *templates*, the short names of each environment's stacks, as one XML document."""
    suites = Element("testsuites")
    for number, (environment, stacks) in enumerate(templates.items()):
        mine = [one for one in found if one.environment == environment]
        clean = [stack for stack in stacks if stack not in {one.stack for one in mine}]
        suite = SubElement(
            suites,
            "testsuite",
            id=str(number),
            name=environment,
            package="gatestack",
            timestamp=when.strftime("%Y-%m-%dT%H:%M:%S"),
            hostname="localhost",
            tests=str(len(mine) + len(clean)),
            failures=str(len(mine)),
            errors="0",
            time="0",
        )
        SubElement(suite, "properties")
        for stack in clean:
            SubElement(suite, "testcase", name=f"{stack}.json", classname=f"{environment}.{stack}", time="0")
        for one in mine:
            _failed(suite, one)
        SubElement(suite, "system-out")
        SubElement(suite, "system-err")
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}'


def _failed(suite: Element, one: Located) -> None:
    name, where = visible(f"{one.rule} {one.place}"), f"{one.environment}.{one.stack}"
    case = SubElement(suite, "testcase", name=" ".join(name.split()), classname=where, time="0")
    line = f":{one.line}" if one.line else ""
    failure = SubElement(case, "failure", message=visible(str(one)), type=one.level)
    failure.text = visible(f"{one.file}{line}: {one}")
