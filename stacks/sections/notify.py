"""`deployment.notify`: webhooks that are notified of deployments."""

from typing import Annotated

from pydantic import Field

from stacks.checking.fields import shape
from stacks.checking.limits import Occasion, Receiver
from stacks.sections import Section


class Notify(Section):
    """One webhook, and what it is told."""

    where: Receiver
    """Format of the message; webhook: JSON for your own program."""
    secret: Annotated[str, shape(r"[A-Za-z0-9_.-]{1,100}", "a name: letters, digits, _ . -")]
    """Name of the SSM parameter (SecureString) with the webhook's URL, below /ENVIRONMENT-SYSTEM/."""
    events: Annotated[tuple[Occasion, ...], Field(strict=False)] = ("approval", "failure", "drift")
    """begin, failure and success of a deployment; approval: a saved plan waits for approval; drift."""
