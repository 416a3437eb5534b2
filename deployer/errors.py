"""
Everything that can go wrong in the deployer, as one tree.

    DeployError            exit 1   an operation failed
    +-- Refused            exit 2   usage or settings; nothing was changed
    |   `-- GraphError     exit 2   the templates do not fit together, or not into the region
    +-- Protected          exit 4   it would lose data, or what is protected, and nobody allowed it
    +-- LostSight          exit 5   AWS may go on, and can no longer be read
    |   `-- LoginOver      exit 5   the login to AWS is over, or nothing can be asked with it
    +-- Interrupted        exit 130 a signal ended it
    `-- CloudError         exit 1   AWS refused one request
        +-- NotAllowed     exit 1   a permission is missing
        +-- MovedOn        exit 1   what was seen is no longer so: look again
        +-- NotOffered     exit 1   an emulated endpoint lacks this service; AWS has them all
        `-- Transient      exit 5   throttled, 5xx, connection: worth repeating

What ends with 5 ends with 2 where the command has sent no request to AWS: nothing is in progress then
(`untouched`).

A message says where, what, what to do, in one line for each thing that is wrong. It holds no secret value.
"""

from __future__ import annotations

from typing import ClassVar


class DeployError(Exception):
    """An operation failed."""

    exit_code: ClassVar[int] = 1


class Refused(DeployError):  # noqa: N818 - named after the outcome
    """Usage or settings are refused and nothing was changed."""

    exit_code = 2


class GraphError(Refused):
    """The templates do not fit together, or not into the region."""


class Protected(DeployError):  # noqa: N818 - named after the outcome
    """It would lose data, or what is protected, without consent."""

    exit_code = 4


class LostSight(DeployError):  # noqa: N818 - named after the outcome
    """AWS may continue what was started, and can no longer be read."""

    exit_code = 5


class LoginOver(LostSight):
    """The login to AWS is over, or nothing can be asked with it."""


class Interrupted(DeployError):  # noqa: N818 - named after the outcome
    """A signal ended the run."""

    exit_code = 130


class CloudError(DeployError):
    """
    AWS refused one request.

    *code* is AWS's own error code, *operation* the name of the request, *answer* AWS's own words alone.
    """

    def __init__(self, message: str, *, code: str = "", operation: str = "", answer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation
        self.answer = answer


class NotAllowed(CloudError):  # noqa: N818 - named after the outcome
    """A permission is missing; the message names it."""


class MovedOn(CloudError):  # noqa: N818 - named after the outcome
    """The observed state is outdated (a stack is busy, a change set is gone): read it again."""


class NotOffered(CloudError):  # noqa: N818 - named after the outcome
    """An emulated endpoint does not have this service; AWS has them all."""


class Transient(CloudError):  # noqa: N818 - named after the outcome
    """Throttled, a 5xx answer or no connection: the same request may work in a moment."""

    exit_code = 5


def untouched(error: DeployError) -> DeployError:
    """
    Return *error*, or a refusal instead of `LostSight`, for a command that has requested no change from AWS.
    """
    return Refused(str(error)) if isinstance(error, (LoginOver, Transient)) else error
