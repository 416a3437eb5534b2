"""`service.task_policy`: the application's AWS permissions beyond those that follow from other keys."""

import re
from typing import Annotated, Literal

from pydantic import Field

from stacks.checking import limits
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
    """ARNs; `*` where the actions support no resource; outputs of your own stacks, `${extras.BucketArn}/*`
    ([extending](extending.md#what-the-application-may-do-in-aws))."""
    conditions: dict[str, dict[str, object]] = Field(default_factory=dict)
    """When the statement applies, as in a policy's Condition: StringEquals: {aws:ResourceAccount:
    "123456789012"}."""
    effect: Literal["Allow", "Deny"] = "Allow"
    """Deny overrides every Allow."""
    reason: kinds.Reason | None = None
    """Why the statement must be this wide; required for wildcards of actions on every resource."""

    @property
    def own_outputs(self) -> tuple[tuple[int, str], ...]:
        """Place in the resources, and the output that is named there: ``extras.BucketArn``."""
        return tuple(
            (index, found[2:-1])
            for index, text in enumerate(self.resources)
            for found in re.findall(limits.OWN_OUTPUT, text)
        )
