"""Parses a template, YAML or JSON, to plain data with long-form functions, and the line of every element."""

from __future__ import annotations

from typing import Any

import yaml

from stacks.checking.problems import Place, printable
from stacks.checking.yaml_tree import Reader, Tree, parse

MOST_BYTES = 1_000_000
"""Of a template in S3 (CloudFormation User Guide, "Understand CloudFormation quotas")."""
MOST_LEVELS = 60
"""Lists and mappings inside each other; a built folder is read with little more."""

FUNCTIONS = frozenset(
    [
        "And",
        "Base64",
        "Cidr",
        "Equals",
        "FindInMap",
        "GetAZs",
        "GetAtt",
        "GetStackOutput",
        "If",
        "ImportValue",
        "Join",
        "Length",
        "Not",
        "Or",
        "Select",
        "Split",
        "Sub",
        "ToJsonString",
    ]
)
"""Those whose short form is ``!Name`` for ``Fn::Name`` (CloudFormation template reference, November 2026)."""
PLAIN = frozenset({"Ref", "Condition"})
"""Those whose long form has no ``Fn::``."""


class _TemplateReader(Reader):
    """CloudFormation's YAML: short functions, dates as texts, keys of any kind as texts."""

    what = "a template"
    most = 100_000

    def _dispatch(self, node: yaml.Node, path: Place) -> Any:
        if len(path) > MOST_LEVELS:
            self._problem(node, path[:4], f"nested deeper than {MOST_LEVELS} levels")
            return None
        return self._function(node, path) if node.tag.startswith("!") else super()._dispatch(node, path)

    def _function(self, node: yaml.Node, path: Place) -> Any:
        short = node.tag.removeprefix("!")
        if short not in FUNCTIONS | PLAIN:
            known = ", ".join(f"!{name}" for name in sorted(FUNCTIONS | PLAIN))
            self._problem(node, path, f"no short function is called {printable(node.tag)}; there are {known}")
            return None
        name = short if short in PLAIN else f"Fn::{short}"
        here = (*path, name)
        self._tree.lines[here] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return {name: self._mapping(node, here)}
        if isinstance(node, yaml.SequenceNode):
            return {name: [self.read(item, (*here, index)) for index, item in enumerate(node.value)]}
        return {name: self._argument(node, path, short)}

    def _argument(self, node: yaml.Node, path: Place, short: str) -> Any:
        if short != "GetAtt":
            return str(node.value)
        logical_id, dot, attribute = str(node.value).partition(".")
        if not (logical_id and dot and attribute):
            self._problem(node, path, "write !GetAtt LogicalId.Attribute")
        return [logical_id, attribute]

    def _key(self, node: yaml.Node, path: Place) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            text = yaml.ScalarNode("tag:yaml.org,2002:str", node.value, node.start_mark, node.end_mark)
            return super()._key(text, path)
        return super()._key(node, path)

    def _scalar(self, node: yaml.ScalarNode, path: Place) -> Any:
        return node.value if node.tag.endswith(":timestamp") else super()._scalar(node, path)


def read(text: str) -> Tree:
    """Read a template's *text*; every problem is in the tree, and nothing is raised for any text."""
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # JSON may be indented with tabs, YAML may not; in its texts are none
    return parse(text, _TemplateReader)
