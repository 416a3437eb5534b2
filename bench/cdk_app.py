"""
Writes the AWS CDK app that `generate` is measured against, in TypeScript and in Python.

It has the same resources as generated constructs (L1, `CfnVPC`), which is the least that the CDK can do: L2
creates more resources, and takes longer. No bootstrap rule, no analytics, no assets. Which part of a property
is a structure (and so spelled in the language's own way), and which is free JSON, is read from
CloudFormation's resource schemas, as the CDK's authors do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.measure import Command, run

Schema = Mapping[str, Any]
FUNCTIONS = {
    "Ref": "ref",
    "Fn::Equals": "conditionEquals",
    "Fn::GetAZs": "getAzs",
    "Fn::GetAtt": "getAtt",
    "Fn::If": "conditionIf",
    "Fn::ImportValue": "importValue",
    "Fn::Join": "join",
    "Fn::Select": "select",
    "Fn::Split": "split",
    "Fn::Sub": "sub",
}
"""CloudFormation's functions that our templates use -> the CDK's, in its TypeScript spelling."""
RESOLVABLE = {"Fn::GetAtt", "Fn::If"}
"""Those that return a token object, which is first converted to a text or a number."""


@dataclass(frozen=True)
class Language:
    """How one language spells the parts of the app."""

    name: Callable[[str], str]
    """Spells a property, from CloudFormation's name."""
    function: Callable[[str], str]
    """Spells a function, from TypeScript's name."""
    literal: Callable[[Any], str]
    structure: Callable[[str, Mapping[str, str]], str]
    """Writes a structure, from its type and the sources of its parts."""
    text: str
    """Appended to a token, makes it a text."""
    number: str
    """Around a token, makes it a number."""
    list: str
    """Around a token, makes it a list."""


def words(name: str) -> list[str]:
    """Return the words of a property: ``KMSMasterKeyID`` -> kms, master, key, id."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+", name)]


def camel(name: str) -> str:
    """Return *name* in TypeScript's spelling."""
    first, *rest = words(name)
    return first + "".join(word.title() for word in rest)


def snake(name: str) -> str:
    """Return *name* in Python's spelling."""
    return "_".join(words(name))


TYPESCRIPT = Language(
    camel,
    lambda name: f"cdk.Fn.{name}",
    json.dumps,
    lambda _, parts: "{" + ", ".join(f"{name}: {value}" for name, value in parts.items()) + "}",
    ".toString()",
    "cdk.Token.asNumber({})",
    "cdk.Token.asList({})",
)
PYTHON = Language(
    snake,
    lambda name: f"cdk.Fn.{snake(name)}",
    repr,
    lambda kind, parts: f"{kind}(" + ", ".join(f"{name}={value}" for name, value in parts.items()) + ")",
    ".to_string()",
    "cdk.Token.as_number({})",
    "cdk.Token.as_list({})",
)


def typescript(
    templates: Mapping[str, Mapping[str, Any]], needs: Mapping[str, Iterable[str]] | None = None
) -> str:
    """
    Return the source of the app in TypeScript.

    With *needs*, the stacks that each depends on, `cdk deploy` can deploy it without a bootstrap.
    """
    lines = ["import * as cdk from 'aws-cdk-lib';"]
    lines += [f"import * as {module} from 'aws-cdk-lib/aws-{module}';" for module in _modules(templates)]
    lines += ["const app = new cdk.App({ analyticsReporting: false });"]
    synthesizer = "new cdk.DefaultStackSynthesizer({ generateBootstrapVersionRule: false })"
    synthesizer = synthesizer if needs is None else "new cdk.LegacyStackSynthesizer()"
    for name, template in templates.items():
        lines += [f"class {name.title()} extends cdk.Stack {{", "  constructor() {"]
        lines += [f"    super(app, {json.dumps(name)}, {{ synthesizer: {synthesizer} }});"]
        lines += [f"    {line};" for line in _TypeScript(template).lines()]
        lines += ["  }", "}", f"const {name} = new {name.title()}();"]
    lines += [f"{name}.addDependency({need});" for name, each in (needs or {}).items() for need in each]
    return "\n".join([*lines, "app.synth();", ""])


def compile_typescript(folder: Path, source: str) -> None:
    """Compile *source* in the *folder* of the node modules, unchecked; raises RunError."""
    options = ["--noCheck", "--module", "commonjs", "--target", "es2022", "--skipLibCheck"]
    compiler = folder / "node_modules/.bin/tsc"
    run(Command([compiler, *options, "--moduleResolution", "node", folder / source], folder))


def python(templates: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the source of the app in Python."""
    lines = ["import aws_cdk as cdk"]
    lines += [f"from aws_cdk import aws_{module}" for module in _modules(templates)]
    lines += ["app = cdk.App(analytics_reporting=False)"]
    synthesizer = "cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)"
    for name, template in templates.items():
        lines += [f"class {name.title()}(cdk.Stack):", "    def __init__(self):"]
        lines += [f"        super().__init__(app, {name!r}, synthesizer={synthesizer})"]
        lines += [f"        {line}" for line in _Python(template).lines()]
        lines += [f"{name.title()}()"]
    return "\n".join([*lines, "app.synth()", ""])


class _Stack:
    """The lines of one stack; the classes below have the differences between the languages."""

    language: Language
    prefix = ""
    """The prefix of the modules' names."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        self._template = template

    def lines(self) -> Iterable[str]:
        template = self._template
        yield from self.options()
        for key, parameter in template.get("Parameters", {}).items():
            yield self.construct(
                "cdk.CfnParameter", key, {name: self.raw(value) for name, value in parameter.items()}
            )
        for key, condition in template.get("Conditions", {}).items():
            yield self.construct("cdk.CfnCondition", key, {"Expression": self.raw(condition)})
        for key, resource in template["Resources"].items():
            yield from self._resource(key, resource)
        for key, resource in template["Resources"].items():
            needs = resource.get("DependsOn", [])
            for need in [needs] if isinstance(needs, str) else needs:
                yield self.depends(key, need)
        for key, output in template.get("Outputs", {}).items():
            parts = {
                name: self.value(value, {"type": "string"}, "", {})
                for name, value in output.items()
                if name != "Export"
            }
            if "Export" in output:
                parts["ExportName"] = self.raw(output["Export"]["Name"])
            yield self.construct("cdk.CfnOutput", f"{key}", parts)

    def options(self) -> Iterable[str]:
        raise NotImplementedError

    def construct(self, kind: str, key: str, parts: Mapping[str, str]) -> str:
        raise NotImplementedError

    def depends(self, key: str, need: str) -> str:
        raise NotImplementedError

    def policy(self, key: str, which: str, value: str) -> str:
        raise NotImplementedError

    def _resource(self, key: str, resource: Mapping[str, Any]) -> Iterable[str]:
        kind, schema = self.prefix + _class(resource["Type"]), schema_of(resource["Type"])
        parts = {
            name: self.value(value, schema["properties"].get(name, {}), f"{kind}.{name}Property", schema)
            for name, value in resource.get("Properties", {}).items()
        }
        yield self.construct(kind, key, parts)
        for which in ("DeletionPolicy", "UpdateReplacePolicy"):
            if which in resource:
                yield self.policy(key, which, resource[which])

    def value(self, value: Any, schema: Schema, kind: str, whole: Schema) -> str:
        """Return the source of *value*, which *schema*, a part of *whole*, describes."""
        schema, name = _resolved(schema, whole)
        kind = _inner(kind, name) if name and kind else kind
        if _function(value):
            return self.fitting(value, schema)
        if isinstance(value, list) and "items" in schema:
            return f"[{', '.join(self.value(one, schema['items'], kind, whole) for one in value)}]"
        if isinstance(value, dict) and schema.get("properties"):
            parts = {
                self.language.name(key): self.value(
                    one, schema["properties"].get(key, {}), _inner(kind, key), whole
                )
                for key, one in value.items()
            }
            return self.language.structure("cdk.CfnTag" if kind.endswith(".TagProperty") else kind, parts)
        return self.raw(value)

    def fitting(self, value: Any, schema: Schema) -> str:
        """Return the source of a function's result, as the type of the property wants it."""
        found = self.raw(value)
        if next(iter(value)) not in RESOLVABLE:
            return found
        types = schema.get("type", "string")
        if types in ("integer", "number"):
            return self.language.number.format(found)
        return found + self.language.text if types == "string" else found

    def raw(self, value: Any) -> str:
        """Return the source of *value*, free JSON with functions in it."""
        if isinstance(value, list):
            return f"[{', '.join(map(self._free, value))}]"
        if not isinstance(value, dict):
            return self.language.literal(value)
        if name := _function(value):
            given = value[name]
            if name == "Fn::GetAtt" and isinstance(given, str):
                given = given.split(".", 1)
            if name == "Fn::GetAZs" and isinstance(given, dict):
                given = []
            many = given if isinstance(given, list) else [given]
            arguments = ", ".join(self._argument(name, one) for one in many)
            return f"{self.language.function(FUNCTIONS[name])}({arguments})"
        pairs = ", ".join(f"{self.language.literal(key)}: {self._free(one)}" for key, one in value.items())
        return f"{{{pairs}}}"

    def _free(self, value: Any) -> str:
        return self.fitting(value, {"type": "string"}) if _function(value) else self.raw(value)

    def _argument(self, function: str, value: Any) -> str:
        found = self.raw(value)
        if function == "Fn::Select" and str(value).isdigit():
            return str(int(value))
        if function == "Fn::Select" and _function(value) == "Ref":
            return self.language.list.format(found)
        return found


class _TypeScript(_Stack):
    language = TYPESCRIPT

    def options(self) -> Iterable[str]:
        yield "const made: Record<string, any> = {}"
        yield f"this.templateOptions.description = {json.dumps(self._template['Description'])}"
        if "Metadata" in self._template:
            yield f"this.templateOptions.metadata = {json.dumps(self._template['Metadata'])}"

    def construct(self, kind: str, key: str, parts: Mapping[str, str]) -> str:
        named = {self.language.name(name): value for name, value in parts.items()}
        return f"made.{key} = new {kind}(this, {json.dumps(key)}, {self.language.structure('', named)})"

    def depends(self, key: str, need: str) -> str:
        return f"made.{key}.addDependency(made.{need})"

    def policy(self, key: str, which: str, value: str) -> str:
        return f"made.{key}.cfnOptions.{camel(which)} = cdk.CfnDeletionPolicy.{_upper(value)}"


class _Python(_Stack):
    language = PYTHON
    prefix = "aws_"

    def options(self) -> Iterable[str]:
        yield "made = {}"
        yield f"self.template_options.description = {self._template['Description']!r}"
        if "Metadata" in self._template:
            yield f"self.template_options.metadata = {self._template['Metadata']!r}"

    def construct(self, kind: str, key: str, parts: Mapping[str, str]) -> str:
        named = {self.language.name(name): value for name, value in parts.items()}
        arguments = ", ".join(["self", repr(key), *(f"{name}={value}" for name, value in named.items())])
        return f"made[{key!r}] = {kind}({arguments})"

    def depends(self, key: str, need: str) -> str:
        return f"made[{key!r}].add_dependency(made[{need!r}])"

    def policy(self, key: str, which: str, value: str) -> str:
        return f"made[{key!r}].cfn_options.{snake(which)} = cdk.CfnDeletionPolicy.{_upper(value)}"


def _upper(policy: str) -> str:
    return "_".join(words(policy)).upper()


def _modules(templates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    types = {one["Type"] for template in templates.values() for one in template["Resources"].values()}
    return sorted({_class(type_).split(".")[0] for type_ in types})


def _class(type_: str) -> str:
    _, service, resource = type_.split("::")
    return f"{service.lower()}.Cfn{resource}"


def _function(value: Any) -> str:
    """Return the function's name if *value* is a function, else an empty text."""
    name = next(iter(value)) if isinstance(value, dict) and len(value) == 1 else ""
    return name if name in FUNCTIONS else ""


def _inner(kind: str, key: str) -> str:
    """Return the type of the structure *key* of a resource, if the schema has no name for it."""
    service, resource = kind.split(".")[:2]
    return f"{service}.{resource}.{key}Property"


def _resolved(schema: Schema, whole: Schema) -> tuple[Schema, str]:
    """Return the target of a reference in a schema, and its name."""
    name = ""
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        schema = whole["definitions"][name]
    return schema, name


@cache
def schema_of(type_: str) -> Schema:
    """Return the schema of a resource type, as cfn-lint ships it."""
    return _read("resources", _index()[type_])


@cache
def _index() -> Mapping[str, str]:
    return _read("providers", "us-east-1")


def _read(folder: str, name: str) -> Mapping[str, Any]:
    spec = find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("cfn-lint is not installed")
    path = Path(spec.origin).parent / "data" / "schemas" / folder / f"{name}.json"
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
