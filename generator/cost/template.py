"""Templates as the estimate reads them: resources, references, parameters with default values. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from generator.conditions import holds
from generator.references import Resource

NO_VALUE = "AWS::NoValue"


@dataclass(frozen=True)
class Template:
    """
    One stack's template, with every parameter at its default.

    A value that is looked up at deployment, as the number of tasks is, counts as what the environment file
    wants: the same rule for the live template and the wanted one, so that equal templates cost the same.
    """

    stack: str
    """Short name: ``network``."""
    document: Mapping[str, Any]

    @classmethod
    def read(cls, stack: str, text: str) -> Template:
        """Read the JSON *text*; raises ValueError where it is none, or no template."""
        document = json.loads(text)
        if objection := _objection(document):
            raise ValueError(f"{stack}: {objection}")
        return cls(stack, document)

    @property
    def resources(self) -> Iterator[Resource]:
        """The resources whose condition holds."""
        for logical_id, one in self.document.get("Resources", {}).items():
            if self._is_there(one):
                yield Resource(self.stack, logical_id, one["Type"], one.get("Properties", {}))

    def resource(self, logical_id: str | None) -> Resource | None:
        """Return one resource; None where the template has none of that name."""
        return next((one for one in self.resources if one.logical_id == logical_id), None)

    def of_type(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of one type."""
        return tuple(one for one in self.resources if one.type == kind)

    def value(self, written: Any) -> Any:
        """Return the value of *written*; None if only a deployment knows it."""
        if isinstance(written, list):
            return [self.value(one) for one in written if one != {"Ref": NO_VALUE}]
        if not isinstance(written, dict):
            return written
        if "Fn::If" in written:
            condition, yes, no = written["Fn::If"]
            return self.value(yes if self._holds(condition) else no)
        if "Ref" in written:
            return self.document.get("Parameters", {}).get(written["Ref"], {}).get("Default")
        if any(key.startswith("Fn::") for key in written):
            return None
        return {key: self.value(one) for key, one in written.items()}

    def number(self, written: Any, otherwise: float) -> float:
        """Return *written* as an amount, *otherwise* for no number; raises ValueError for no amount."""
        try:
            found = float(self.value(written))
        except (TypeError, ValueError):
            return otherwise
        if not 0 <= found < inf:
            raise ValueError(f"{found} is no amount")
        return found

    def _is_there(self, one: Mapping[str, Any]) -> bool:
        """Whether a resource's condition holds; one that is not understood does."""
        try:
            return "Condition" not in one or self._holds(one["Condition"])
        except (AttributeError, RecursionError, TypeError, ValueError):
            return True

    def _holds(self, condition: Any) -> bool:
        return holds(condition, self.document, self.value) is not False


def _objection(document: Any) -> str:
    """Return why *document* is no template; empty where it is one."""
    resources = document.get("Resources", {}) if isinstance(document, dict) else None
    if not isinstance(resources, dict):
        return "this is no CloudFormation template"
    for logical_id, one in resources.items():
        if not isinstance(one, dict) or not isinstance(one.get("Type"), str):
            return f"{logical_id} has no type"
        if not isinstance(one.get("Properties", {}), dict):
            return f"the properties of {logical_id} are no mapping"
    return ""


def target(written: Any) -> str | None:
    """Return the logical id that *written* refers to; None where it refers to none."""
    if not isinstance(written, dict):
        return None
    if "Ref" in written:
        return str(written["Ref"])
    found = written.get("Fn::GetAtt")
    if isinstance(found, str):
        return found.partition(".")[0]
    return str(found[0]) if isinstance(found, Sequence) and found else None
