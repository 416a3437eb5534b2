"""`service.secrets_from`: variables of the tasks from secrets and parameters that are there already."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from stacks.checking import fields
from stacks.sections import Section


class SecretSource(Section):
    """Where a value is; written as its ARN alone where no key has to be named."""

    arn: fields.SecretArn
    """Of a secret, with :json-key:version-stage:version-id on wish, or of an SSM parameter."""
    kms_key_arn: fields.KeyArn | None = None
    """Customer key that it is encrypted with; left out: AWS's own."""

    @property
    def parts(self) -> list[str]:
        """Return partition, service, region, account and what is behind them."""
        return self.arn.split(":", 5)[1:]

    @property
    def is_parameter(self) -> bool:
        """Whether it is an SSM parameter."""
        return self.parts[1] == "ssm"

    @property
    def resource(self) -> str:
        """The ARN without key, stage and version: what a policy names."""
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
        return {"anyOf": [{"type": "string", "pattern": "^arn:"}, handler(schema)]}


SecretSources = dict[fields.Variable, Annotated[SecretSource, _OrItsArn()]]
