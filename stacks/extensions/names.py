"""
Names of exports and imports as literal text, as far as they are known before a deployment. Pure.

The order of stacks follows from these names, so they may not depend on what only the account knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from stacks.checking.problems import Place, printable
from stacks.extensions.values import Objection, text_of

IMPORT = "Fn::ImportValue"
OTHERS = "Fn::GetStackOutput"
_NAMED = r"\$\{(!?)([^}]*)\}"
_EXPORT = r"[A-Za-z0-9:-]{1,255}"
"""CloudFormation template reference, Outputs section: alphanumeric characters, colons and hyphens."""
_OUTPUT = "Ref to parameters with a value, Fn::Sub, Fn::Join, Fn::Select, Fn::Split and Fn::FindInMap"


class _NotStaticError(Exception):
    """Only known on deployment; the text says what."""


def with_literal_names(
    template: Mapping[str, Any], known: Mapping[str, str], prefix: str
) -> tuple[dict[str, Any], tuple[Objection, ...]]:
    """
    Return *template* with the name of every import and export as text, and what could not be resolved.

    *known*: values of parameters and pseudo parameters. *prefix*: of the environment's own stacks.
    """
    writer = _Writer(template, known, prefix)
    written = writer.written(dict(template), ())
    for output, one in template.get("Outputs", {}).items():
        if "Export" in one:
            place = ("Outputs", output, "Export", "Name")
            written["Outputs"][output]["Export"]["Name"] = writer.name(one["Export"]["Name"], place)
    return written, tuple(writer.objections)


class _Writer:
    def __init__(self, template: Mapping[str, Any], known: Mapping[str, str], prefix: str) -> None:
        self._prefix = prefix
        self._mappings = template.get("Mappings", {})
        self._known = known
        self.objections: list[Objection] = []
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::Sub": self._sub,
            "Fn::Join": lambda argument: str(argument[0]).join(self._texts(argument[1])),
            "Fn::Select": lambda argument: self._texts(argument[1])[int(self._text(argument[0]))],
            "Fn::Split": lambda argument: self._text(argument[1]).split(str(argument[0])),
            "Fn::FindInMap": self._mapped,
        }

    def written(self, node: Any, place: Place) -> Any:
        """Return *node* with the names of its imports as text."""
        if isinstance(node, list):
            return [self.written(one, (*place, index)) for index, one in enumerate(node)]
        if not isinstance(node, dict):
            return node
        if OTHERS in node:
            self._check_others(node[OTHERS], (*place, OTHERS))
        return {
            key: self.name(one, (*place, key)) if key == IMPORT else self.written(one, (*place, key))
            for key, one in node.items()
        }

    def _check_others(self, argument: Any, place: Place) -> None:
        """Refuse an output of the environment's own stacks: it gives no order of stacks."""
        if not isinstance(argument, dict) or "StackName" not in argument:
            self.objections.append((place, "expected StackName and OutputName"))
        elif "Region" not in argument:
            stack = self.name(argument["StackName"], (*place, "StackName"))
            if stack.startswith(f"{self._prefix}-"):
                what = "a stack of this environment; take its export with Fn::ImportValue, which orders them"
                self.objections.append(((*place, "StackName"), f"{printable(stack)}: {what}"))

    def name(self, value: Any, place: Place) -> str:
        try:
            text = self._text(value)
        except _NotStaticError as error:
            self.objections.append((place, f"the name has to be known before a deployment, and {error}"))
        except (ValueError, TypeError, LookupError, AttributeError):
            self.objections.append((place, f"the name is made of what is no name; it takes {_OUTPUT}"))
        else:
            if re.fullmatch(_EXPORT, text):
                return text
            what = "a name has letters, digits, colons and hyphens, 255 at most"
            self.objections.append((place, f"{printable(text)!r} is no name of an export: {what}"))
        return "unknown"

    def _text(self, value: Any) -> str:
        found = self._value(value)
        if isinstance(found, list | dict) or found is None:
            raise TypeError
        return text_of(found)

    def _texts(self, value: Any) -> list[str]:
        found = self._value(value)
        if not isinstance(found, list):
            raise TypeError
        return [self._text(one) for one in found]

    def _value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((function, argument),) = value.items()
        if function not in self._functions:
            raise _NotStaticError(f"{printable(function)} is not; it takes {_OUTPUT}")
        return self._functions[function](argument)

    def _ref(self, name: Any) -> str:
        if name not in self._known:
            raise _NotStaticError(f"{printable(str(name))} is not")
        return self._known[name]

    def _sub(self, argument: Any) -> str:
        text, beside = (argument, {}) if isinstance(argument, str) else argument

        def put(match: re.Match[str]) -> str:
            name = match[2].strip()
            if match[1]:
                return f"${{{name}}}"
            return self._text(beside[name]) if name in beside else self._ref(name)

        return re.sub(_NAMED, put, text)

    def _mapped(self, argument: Any) -> Any:
        name, first, second = (self._text(one) for one in argument)
        return self._mappings[name][first][second]
