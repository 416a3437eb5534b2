"""Parses parameters that actions share: names, template, parameters, tags, capabilities."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Deployment, Options, Stack
from sandbox.cloudformation.templates.parameters import Given, chosen, looked_up
from sandbox.cloudformation.templates.references import capabilities, check
from sandbox.cloudformation.templates.template import Template, parse
from sandbox.errors import ApiError, invalid
from sandbox.provisioning import ProvisionError

Params = Mapping[str, Any]
Fetch = Callable[[str], str]
"""Returns the text at a TemplateURL; raises ApiError."""

_LIMIT = 51_200
_NAME = r"[a-zA-Z][-a-zA-Z0-9]*"


def stack_name(params: Params) -> str:
    """Return the StackName, checked."""
    name = str(params.get("StackName") or "")
    if not name:
        raise invalid("StackName is a required parameter.")
    if not re.fullmatch(rf"{_NAME}|arn:[-a-zA-Z0-9:/._+]*", name):
        raise _constraint(name, "stackName", rf"regular expression pattern: {_NAME}|arn:[-a-zA-Z0-9:/._+]*")
    if not name.startswith("arn:") and len(name) > 128:
        raise invalid(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must have length less than or equal to 128"
        )
    return name


def change_set_name(params: Params) -> str:
    """Return the name of a new change set, checked."""
    name = str(params.get("ChangeSetName") or "")
    if not re.fullmatch(_NAME, name) or len(name) > 128:
        raise _constraint(name, "changeSetName", f"regular expression pattern: {_NAME}")
    return name


def _constraint(value: str, at: str, what: str) -> ApiError:
    return invalid(
        f"1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: "
        f"Member must satisfy {what}"
    )


def text(params: Params, fetch: Fetch) -> str | None:
    """Return the template text that is given, or None."""
    body, url = params.get("TemplateBody"), params.get("TemplateURL")
    if body is not None and url is not None:
        raise invalid("Specify exactly one of 'TemplateBody' or 'TemplateUrl'")
    if url is not None:
        found = fetch(str(url))
        if len(found.encode()) > 1_048_576:
            raise invalid("Template may not exceed 1048576 bytes in size.")
        return found
    if body is not None and len(str(body).encode()) > _LIMIT:
        raise invalid(
            f"1 validation error detected: Value '{str(body)[:60]}...' at 'templateBody' failed to satisfy "
            f"constraint: Member must have length less than or equal to {_LIMIT}"
        )
    return None if body is None else str(body)


def template(account: Account, params: Params, fetch: Fetch, stack: Stack | None) -> Template:
    """Return the given template, or the stack's if the previous is requested; raises ApiError."""
    if params.get("UsePreviousTemplate"):
        if stack is None or not stack.deployment.template.text:
            raise invalid("UsePreviousTemplate cannot be used: the stack has no template.")
        return stack.deployment.template
    given = text(params, fetch)
    if given is None:
        raise invalid("Either Template URL or Template Body must be specified.")
    parsed = parse(given)
    if not parsed.pending:
        check(parsed, account.schemas)
    return parsed


def deployment(account: Account, params: Params, fetch: Fetch, stack: Stack | None) -> Deployment:
    """Return the requested state of *stack*, None for a new one; what is left out stays; raises ApiError."""
    wanted = template(account, params, fetch, stack)
    old = stack.deployment if stack else Deployment()
    given = [
        Given(each["ParameterKey"], each.get("ParameterValue"), bool(each.get("UsePreviousValue")))
        for each in params.get("Parameters", ())
    ]
    values = chosen(wanted, given, old.parameters if stack else None)
    check_capabilities(wanted, params.get("Capabilities", ()))
    try:
        found = looked_up(wanted, values, account.provisioner.resolve)
    except ProvisionError as error:
        raise invalid(str(error)) from error
    tags = {each["Key"]: each["Value"] for each in params["Tags"]} if "Tags" in params else old.tags
    _check_tags(params)
    return Deployment(
        template=wanted,
        parameters=values,
        looked_up=found,
        tags=tags,
        capabilities=tuple(params.get("Capabilities", ())),
        notification_arns=tuple(params.get("NotificationARNs", old.notification_arns)),
        role_arn=params.get("RoleARN", old.role_arn),
        rollback_configuration=_watched(params.get("RollbackConfiguration", old.rollback_configuration)),
    )


def _watched(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a rollback configuration; one without alarms and time is none."""
    return configuration if any(configuration.values()) else {}


def _check_tags(params: Params) -> None:
    keys = [each["Key"] for each in params.get("Tags", ())]
    if len(keys) > 50:
        raise invalid("Tag count exceeds the limit of 50.")
    if len(set(keys)) != len(keys):
        raise invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        raise invalid("aws: prefixed tag key names are not allowed for external use.")


def check_capabilities(wanted: Template, given: Any) -> None:
    """Refuse IAM resources without acknowledged capabilities; raises ApiError."""
    needed, _ = capabilities(wanted)
    enough = {"CAPABILITY_NAMED_IAM"} | ({"CAPABILITY_IAM"} if needed == "CAPABILITY_IAM" else set())
    if needed and not enough & set(given):
        raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def check_expansion(wanted: Template, params: Params) -> None:
    """
    Refuse macros without acknowledged capabilities in a call without a change set; raises ApiError.

    CloudFormation API Reference, CreateStack, Capabilities: CAPABILITY_AUTO_EXPAND, those that AWS hosts too;
    change sets do not need it.
    """
    if wanted.transforms and "CAPABILITY_AUTO_EXPAND" not in params.get("Capabilities", ()):
        needed = "Requires capabilities : [CAPABILITY_AUTO_EXPAND]"
        raise ApiError("InsufficientCapabilitiesException", needed)


def options(params: Params, *, change_set_id: str | None = None) -> Options:
    """Return how to execute an operation."""
    config = deployment_config(params)
    failing = str(params.get("OnFailure") or params.get("OnStackFailure") or "ROLLBACK")
    if config.get("DisableRollback"):
        failing = "DO_NOTHING"
    if params.get("DisableRollback"):
        if params.get("OnFailure"):
            raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
        failing = "DO_NOTHING"
    return Options(
        token=params.get("ClientRequestToken"),
        on_failure=failing,
        retain_except_on_create=bool(params.get("RetainExceptOnCreate")),
        change_set_id=change_set_id,
        deployment_config=config,
    )


def deployment_config(params: Params) -> Mapping[str, Any]:
    """
    Return the deployment mode and what follows a failure in it; raises ApiError.

    CloudFormation User Guide, "Deploy AWS CloudFormation stacks faster with express mode" (read in November
    2026): rollback is off in it unless DisableRollback is false. The other parameters for failures are
    refused with it (aws/aws-sam-cli#9106); the words are ours.
    """
    given = params.get("DeploymentConfig")
    if not given:
        return {}
    if others := [name for name in ("DisableRollback", "OnFailure", "OnStackFailure") if params.get(name)]:
        raise invalid(f"You cannot specify both DeploymentConfig and {others[0]}.")
    mode = str(given.get("Mode", "STANDARD"))
    off = given.get("DisableRollback")
    return {"Mode": mode, "DisableRollback": mode == "EXPRESS" if off is None else bool(off)}
