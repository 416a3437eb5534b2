"""Restrictions on the variables of tasks: parameters, secrets, variables that gatestack sets itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.application import Application, camel
from stacks.checking import limits
from stacks.checking.problems import Finding
from stacks.checking.region_table import REGIONS
from stacks.checking.regions import KNOWN
from stacks.checking.secret_texts import is_secret, names_a_secret
from stacks.checking.tasks.task_policy import longest
from stacks.checking.texts import INSTEAD
from stacks.known_secrets import CACHE, OIDC_CLIENT, administrator, put_in
from stacks.sections.variables import SecretSource
from stacks.settings import Settings
from stacks.systems import application
from stacks.task_secrets import names, of_providers

NESTED = "{{"
"""AWS::SSM::Parameter, Value: it "must not nest another parameter. Do not use {{}} in the value"."""


def parameter_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the user's parameters, ours, and the variables that tasks get."""
    seen: dict[str, str] = {}
    for name, value in settings.service.parameters.items():
        message = _taken(settings, name, value) or _same_as_another(settings, name, seen)
        if NESTED in value:
            message = f"SSM takes no {NESTED} in a value; write it without"
        if message:
            also = ("service.environment", "cache", "database", "dispatcher")
            yield Finding("service.parameters", message, also, (name,))


def _taken(settings: Settings, name: str, value: str) -> str | None:
    """
    Return why *name* is no name for a parameter of the user's.

    ECS refuses a secret that has the name of an environment variable, or of another secret.
    """
    own = application(settings.system)
    variable = own.variable_of(name)
    if name in own.shown:
        return f"gatestack writes this parameter itself, from {own.shown[name]}; remove it"
    if name in own.located:
        return "gatestack writes this parameter itself; remove it"
    if variable in told(settings) or (variable in own.reserved and name not in own.read_by_tasks):
        return f"tasks get it as {variable}, which gatestack sets itself; remove it"
    if variable in settings.service.environment:
        return f"tasks get it as {variable}, which service.environment sets too; keep one of them"
    if names_a_secret(name) or names_a_secret(variable) or is_secret(value):
        return f"looks like a secret, and these parameters are not encrypted; {INSTEAD}"
    return None


def told(settings: Settings) -> frozenset[str]:
    """Return the variables that some program gets, independent of `service.parameters`."""
    programs = application(settings.system).programs(settings)
    return frozenset(name for one in programs for name in (*one.variables(settings), *one.injected(settings)))


def _same_as_another(settings: Settings, name: str, seen: dict[str, str]) -> str | None:
    """Return which parameter in *seen* has the same variable or, like a-1 and a1, the same logical id."""
    own = application(settings.system)
    for thing in (f"variable {own.variable_of(name)}", f"logical id {camel(name)}"):
        other = seen.setdefault(thing, name)
        if other != name:
            return f"has the same {thing} as {other}; rename one of them"
    return None


_ALSO = (
    *("region", "account", "network", "cache", "database", "dispatcher"),
    *("service.environment", "service.parameters", "service.providers"),
)


def task_secret_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the variables that people put in, and all others."""
    own, listed = application(settings.system), settings.service.secrets
    taken = _told_otherwise(settings, own) if listed else {}
    made = (*own.secrets, administrator(own), CACHE, OIDC_CLIENT)
    ids = {one.title: f"gatestack's secret {one.name}" for one in made}
    ids |= {put_in(name).title: f"{name} of service.providers" for name in of_providers(settings)}
    for index, name in enumerate(listed):
        message = "stands twice; keep one of them" if name in listed[:index] else taken.get(name)
        message = message or _no_secret(name) or _same_id(name, ids)
        if message:
            yield Finding("service.secrets", f"{name} {message}", _ALSO, (index,))
    if (count := len(names(settings))) > limits.MOST_VARIABLES:
        room = f"the stack has room for {limits.MOST_VARIABLES}"
        yield Finding("service.secrets", f"{count} variables with those of the providers; {room}", _ALSO)


def _told_otherwise(settings: Settings, own: Application) -> Mapping[str, str]:
    """Return each variable that users may not set, or not here, and what to do about it."""
    service = settings.service
    given = {provider: name for provider, name in limits.PROVIDER_KEYS.items() if provider in own.providers}
    return {
        **dict.fromkeys(service.environment, "is set by service.environment too, in clear; keep one of them"),
        **{
            own.variable_of(name): f"comes from service.parameters.{name} too; keep one of them"
            for name in service.parameters
        },
        **dict.fromkeys([*own.reserved, *told(settings)], "is set by gatestack itself; remove it"),
        **{
            name: f"comes with {provider} in service.providers; remove it"
            for provider, name in given.items()
            if name in own.reserved
        },
    }


def _no_secret(name: str) -> str | None:
    """Return why *name* cannot be a secret's variable, independent of others; None if it can."""
    if name in limits.ROLE_VARIABLES:
        return (
            "would take the place of the tasks' role for everything that they ask AWS for; put it in "
            f"under another name (BEDROCK_{name}) and refer to that in the application's configuration"
        )
    return None if name.strip("_") else "needs a letter or a digit"


def _same_id(name: str, ids: dict[str, str]) -> str | None:
    """Return what in *ids* already has the logical id of *name*'s secret, as A_1 has that of A1."""
    title = put_in(name).title
    other = ids.setdefault(title, name)
    if other in {name, f"{name} of service.providers"}:
        return None
    return f"has the same logical id {title} as {other}; rename one of them"


def source_findings(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong between the variables from elsewhere, all others, and where the tasks run."""
    listed = settings.service.secrets_from
    taken = _told_otherwise(settings, application(settings.system)) if listed else {}
    for name, source in listed.items():
        message = taken.get(name) or _no_secret(name)
        if name in settings.service.secrets:
            message = "stands in service.secrets too; keep one of them"
        if message := message or _unusable(settings, source):
            yield Finding("service.secrets_from", f"{name} {message}", _ALSO, (name,))
    length = sum(len(longest(one.arn)) + len(one.kms_key_arn or "") for one in listed.values())
    if length > limits.SOURCE_CHARACTERS:
        message = f"the ARNs have {length} characters; the role has room for {limits.SOURCE_CHARACTERS}"
        yield Finding("service.secrets_from", message)


def _unusable(settings: Settings, source: SecretSource) -> str | None:
    if source.own_output is None:
        return _unreachable(settings, source) or _encrypted_by_aws(settings, source)
    stack, own = source.own_output.partition(".")[0], {one.name for one in settings.extend.stacks}
    if stack not in own:
        return f"is of no stack of your own: extend.stacks has {', '.join(sorted(own)) or 'none'}"
    if source.kms_key_arn:
        return (
            "is a secret of your own stack, which tasks start with if the environment's key encrypts it; let "
            "the template import that as KmsKeyId, PREFIX-security-KmsKeyArn, and remove kms_key_arn"
        )
    return None


def _unreachable(settings: Settings, source: SecretSource) -> str | None:
    partition, _, region, *_ = source.parts
    if region not in KNOWN:
        return f"is in {region}, which is no region of AWS's"
    if region not in REGIONS.get(partition, ()):
        return f"is in {region}, which is not of the partition {partition}"
    if settings.region not in REGIONS[partition]:
        return f"is in the partition {partition}, and the tasks are not: no login is good for both"
    if settings.closed and region != settings.region:
        return f"is in {region}, and tasks without a way to the internet reach {settings.region} alone"
    if source.kms_key_arn and source.kms_key_arn.split(":")[3] != region:
        return f"is in {region}, and its kms_key_arn is not: a key encrypts in its own region"
    return None


def _encrypted_by_aws(settings: Settings, source: SecretSource) -> str | None:
    """AWS Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different account"."""
    if _is_elsewhere(settings, source) and not source.kms_key_arn and not source.is_parameter:
        return (
            "is of another account, whose secrets can be read only where a customer key encrypts them; write "
            "{arn: ..., kms_key_arn: ...}"
        )
    return None


def _is_elsewhere(settings: Settings, source: SecretSource) -> bool:
    return settings.account not in {None, source.parts[3]}


def _foreign(settings: Settings) -> Mapping[str, SecretSource]:
    """Return key of the file -> existing secret or parameter."""
    found = {f"service.secrets_from.{name}": one for name, one in settings.service.secrets_from.items()}
    stores = settings.existing_stores.items()
    found |= {f"{key}.secret_arn": one.secret for key, one in stores if one.secret}
    return {key: one for key, one in found.items() if one.own_output is None}


def source_advice(settings: Settings) -> Iterator[str]:
    """
    Yield what the other account has to allow for each of its secrets and parameters.

    Sources: AWS Secrets Manager User Guide, as above; AWS Systems Manager User Guide, "Working with shared
    parameters in Parameter Store": of the advanced tier alone, and with a customer key where one encrypts.
    """
    reader = f"the role of {settings.stack_name('security')}'s output ExecutionRoleArn"
    for key, source in _foreign(settings).items():
        if not _is_elsewhere(settings, source):
            continue
        whose = f"{key} is of account {source.parts[3]}, which has to"
        decrypt = f", and kms:Decrypt in the policy of {source.kms_key_arn}" if source.kms_key_arn else ""
        if source.is_parameter:
            share = "share it by AWS RAM (advanced tier only)"
            yield f"{whose} {share} with this account{decrypt and f', and allow {reader}{decrypt[4:]}'}"
        else:
            yield f"{whose} allow {reader}: secretsmanager:GetSecretValue in the secret's policy{decrypt}"
