"""The sources of task variables: secrets entered by people, existing secrets and parameters, providers."""

import re
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from stacks.checking import limits
from stacks.checking.fields import Checked
from stacks.near import near
from stacks.sections import Section
from stacks.systems import litellm_providers


def shape_untold(pattern: str, message: str) -> Checked:
    """Text that matches *pattern* as a whole; *message* does not repeat it: it may be a secret by mistake."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(message)
        return text

    return Checked(check, (("pattern", f"^(?:{pattern})$"),))


def _variable(name: str) -> str:
    """Repeats nothing: what stands here may be the value itself."""
    if not re.fullmatch(limits.VARIABLE, name) or len(name) > limits.VARIABLE_LENGTH:
        raise ValueError(
            f"not the name of a variable, like AZURE_API_KEY: 1 to {limits.VARIABLE_LENGTH} letters, digits "
            "and _, beginning with no digit; its value is put in with `gatestack secret set ENV NAME`"
        )
    return name


def _provider(name: str) -> str:
    if name not in litellm_providers.VARIABLES:
        meant = near(name.lower(), litellm_providers.VARIABLES)
        known = f"a provider as {litellm_providers.SOURCE} calls it, like azure"
        hint = f"did you mean {meant}?" if meant else "the schema of this file has all of them"
        raise ValueError(f"{name!r} is not {known}; {hint}")
    return name


Variable = Annotated[
    str, Checked(_variable, (("pattern", f"^{limits.VARIABLE}$"), ("maxLength", limits.VARIABLE_LENGTH)))
]
Variables = Annotated[tuple[Variable, ...], Field(strict=False)]
SecretArn = Annotated[
    str,
    shape_untold(
        rf"{limits.SECRET_ARN}|{limits.PARAMETER_ARN}|{limits.OWN_OUTPUT}(:[^:\s]*:[^:\s]*:[^:\s]*)?",
        "not the whole ARN of a secret, "
        "arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>, "
        "with :<json key>:<version stage>:<version id> on wish, "
        "nor of a parameter, arn:aws:ssm:<region>:<account>:parameter/<name>, "
        "nor a secret's as an output of a stack of your own, ${<stack>.<output>}",
    ),
]
KeyArn = Annotated[
    str,
    shape_untold(
        limits.KMS_KEY_ARN,
        "not the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>; an alias is none",
    ),
]
Provider = Annotated[str, Checked(_provider, (("enum", sorted(litellm_providers.VARIABLES)),))]


class SecretSource(Section):
    """Where a value is; written as its ARN alone where no key has to be named."""

    arn: SecretArn
    """Of a secret, with :json-key:version-stage:version-id on wish, or of an SSM parameter; or an output of a
    stack of your own that is a secret's ARN, `${extras.TokenArn}`."""
    kms_key_arn: KeyArn | None = None
    """Customer key that it is encrypted with; left out: AWS's own."""

    @property
    def own_output(self) -> str | None:
        """Return the output of an own stack that it is, ``extras.TokenArn``; None: it was there already."""
        return self.arn[2:].partition("}")[0] if self.arn.startswith("${") else None

    @property
    def parts(self) -> list[str]:
        """Return partition, service, region, account and what is behind them; not of an own output."""
        return self.arn.split(":", 5)[1:]

    @property
    def is_parameter(self) -> bool:
        """Whether it is an SSM parameter."""
        return self.own_output is None and self.parts[1] == "ssm"

    @property
    def resource(self) -> str:
        """The ARN without key, stage and version: what a policy names."""
        if self.own_output:
            return f"${{{self.own_output}}}"
        return ":".join(self.arn.split(":")[: 6 if self.is_parameter else 7])


def _written_out(value: Any) -> Any:
    return {"arn": value} if isinstance(value, str) else value


class _OrItsArn:
    """Lets a text stand for the section that has nothing but it."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_written_out, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": r"^(arn:|\$\{)"}, handler(schema)]}


SecretSources = dict[Variable, Annotated[SecretSource, _OrItsArn()]]
