"""
Whether a template uses macros, and its text after they are processed.

CloudFormation User Guide, "Perform custom processing on CloudFormation templates with template macros":
macros inside the template are processed first, then those of the Transform section in order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Deployment
from sandbox.cloudformation.requests import Fetch, check_capabilities
from sandbox.cloudformation.templates.intrinsics import NO_VALUE, Resolver, Unresolvable
from sandbox.cloudformation.templates.parameters import seen
from sandbox.cloudformation.templates.references import check
from sandbox.cloudformation.templates.template import Template, build, load
from sandbox.cloudformation.transforms.failure import TransformFailure, failed
from sandbox.cloudformation.transforms.includes import INCLUDE, embedded, merged, snippet
from sandbox.cloudformation.transforms.language_extensions import Unknown, extended
from sandbox.cloudformation.transforms.loops import EXTENSIONS
from sandbox.errors import ApiError, invalid

Json = Any
HOSTED = frozenset(
    {"AWS::CodeDeployBlueGreen", "AWS::CodeStar", "AWS::SecretsManager-2020-07-23", "AWS::ServiceCatalog"}
    | {"AWS::SecretsManager-2024-09-16", "AWS::Serverless-2016-10-31"}
)
"""What AWS hosts and this sandbox does not (CloudFormation Template Reference, Transforms; November 2026)."""


def processed(account: Account, stack_name: str, wanted: Deployment, fetch: Fetch) -> Deployment:
    """Return *wanted* with a template without macros; raises TransformFailure, ApiError."""
    template = wanted.template
    if not template.pending:
        return wanted
    values = _known(account, stack_name, wanted)
    document = _carried_out(template, values, account.number, fetch)
    try:
        made = replace(build(template.text, document, template.transforms), processed=document)
        check(made, account.schemas)
    except ApiError as error:
        raise TransformFailure(error.message) from error
    check_capabilities(made, wanted.capabilities)
    return replace(wanted, template=made)


def _known(account: Account, stack_name: str, wanted: Deployment) -> dict[str, Json]:
    """Return the values known before anything is created; processed templates get no secrets."""
    shown = {name for name, spec in wanted.template.parameters.items() if not spec.no_echo}
    given = seen(wanted.template, wanted.parameters, wanted.looked_up)
    pseudo = {
        "AWS::AccountId": account.number,
        "AWS::Region": account.region,
        "AWS::StackName": stack_name.split("/")[1] if stack_name.startswith("arn:") else stack_name,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NotificationARNs": list(wanted.notification_arns),
    }
    return {name: value for name, value in given.items() if name in shown} | pseudo


def _carried_out(
    template: Template, values: Mapping[str, Json], account: str, fetch: Fetch
) -> Mapping[str, Json]:
    def refuse(name: str) -> None:
        raise _unknown(name, account)

    document = load(template.text)
    declared = document.pop("Transform", [])
    resolve = _simple(document, values)
    document = embedded(document, fetch, resolve, refuse)
    for macro in declared if isinstance(declared, list) else [declared]:
        name, asked = (macro, {}) if isinstance(macro, str) else (str(macro.get("Name")), macro)
        if name == EXTENSIONS:
            document = extended(document, values)
        elif name == INCLUDE:
            document = _with_sections(document, snippet(asked, fetch, resolve))
        else:
            refuse(name)
    return document


def _with_sections(document: Mapping[str, Json], content: Json) -> dict[str, Json]:
    both = merged(document, content)
    for section in document.keys() & content.keys():
        if isinstance(document[section], dict):
            both[section] = merged(document[section], content[section])
    return dict(both)


def _simple(document: Mapping[str, Json], values: Mapping[str, Json]) -> Callable[[Json], Json]:
    """Return the resolver of a macro's own parameters."""
    resolver = Resolver(Template(text="", mappings=document.get("Mappings", {})), values, Unknown())

    def resolve(value: Json) -> Json:
        try:
            found = resolver.resolve(value)
        except (ApiError, Unresolvable) as error:
            raise failed(INCLUDE, "The location parameter is not a valid S3 uri.") from error
        return None if found is NO_VALUE else found

    return resolve


def _unknown(name: str, account: str) -> Exception:
    if name in HOSTED:
        return invalid(f"Template format error: the macro {name} is not offered by this sandbox.")
    full = name if "::" in name else f"{account}::{name}"
    return TransformFailure(f"No transform named {full} found.")
