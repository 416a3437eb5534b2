"""`service.task_policy`: what the application may do in AWS beyond what follows from the other keys."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.checking.fields import NonEmpty
from stacks.checking.tasks import access_fields as kinds
from stacks.sections import Section


class Allowed(Section):
    """One statement of the tasks' role: what is done, on what, and when."""

    sid: kinds.Sid
    """Its name in the policy; letters and digits, each once."""
    actions: Annotated[tuple[kinds.Action, ...], Field(strict=False), NonEmpty]
    """As IAM writes them: s3:GetObject."""
    resources: Annotated[tuple[kinds.Resource, ...], Field(strict=False), NonEmpty]
    """ARNs; `*` where the actions know no resource."""
    conditions: dict[str, dict[str, object]] = Field(default_factory=dict)
    """When it holds, as in a policy's Condition: StringEquals: {aws:ResourceAccount: "123456789012"}."""
    effect: Literal["Allow", "Deny"] = "Allow"
    """Deny takes away, whatever else allows it."""
    reason: kinds.Reason | None = None
    """Why it has to be as wide as it is; needed for wildcards of actions on every resource."""
