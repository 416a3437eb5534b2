"""`extend`: a team's own stacks and patches, for what no key of gatestack covers."""

from typing import Annotated

from pydantic import Field

from stacks.checking import limits
from stacks.checking.fields import between, shape
from stacks.sections import Section

StackName = Annotated[
    str,
    shape(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", "a short name: lower-case letters, digits and single hyphens"),
]
LogicalId = Annotated[str, shape(r"[A-Za-z0-9]{1,255}", "a logical id: letters and digits")]
Reason = Annotated[
    str, shape(r"(?=.*\S)[^\x00-\x1f\x7f]{1,500}", "a reason: a line of 500 characters at most")
]


class OwnStack(Section):
    """A further stack of the environment, from a template of the team's own."""

    name: StackName
    """The stack is called ENVIRONMENT-SYSTEM-NAME."""
    template: Annotated[str, shape(r"[^\x00]{1,1000}", "the path of a template")]
    """CloudFormation template in YAML or JSON; a path relative to this file."""
    parameters: dict[str, str] = Field(default={})
    """The template's parameters. Prefix, Environment, System and Tier are set if it declares them."""
    timeout_minutes: Annotated[int, between(1, limits.MOST_TIMEOUT_MINUTES, "minutes")] = 60
    """How long one operation on this stack may take."""
    tags: dict[str, str] = Field(default={})
    """Added to its resources, with the environment's tags."""


class Patch(Section):
    """One change to one resource of a finished template."""

    stack: StackName
    """security, network, alb, database or service."""
    resource: LogicalId
    """Logical id, as `gatestack generate` writes it."""
    path: Annotated[str, shape(r"\S(.{0,498}\S)?", "a dotted path below the resource")]
    """Dotted path below the resource: Properties.SslPolicy; [0] or [Key=value] selects an item of a list."""
    set: object = None
    """The new value."""
    append: object = None
    """The value to append to the list there."""
    remove: bool = False
    """Remove the property or the list item."""
    reason: Reason
    """Why the patch exists; the plan shows it."""
    accept_risk: bool = False
    """Remove even properties that protect data."""


class Extend(Section):
    """Your own stacks in addition to gatestack's, and patches of gatestack's templates
    ([extending](extending.md))."""

    stacks: Annotated[tuple[OwnStack, ...], Field(strict=False)]
    """Stacks of your own."""
    patches: Annotated[tuple[Patch, ...], Field(strict=False)]
    """Changes to finished templates."""
