"""What stops a step, in words that may be logged: no value of a secret, no statement, no answer's text."""

from __future__ import annotations

from botocore.exceptions import ClientError


class RotationError(Exception):
    """
    A step cannot be done; the current value goes on working. The message says where, what, and what to do.

    Below it: RefusedError and UnreachableError of `postgres`, RefusedError and UnavailableError of `proxy`.
    """


def reason(error: Exception) -> str:
    """
    Return the class of *error* and what of its message may be logged.

    Of AWS's errors that is code and operation: a message about an invalid parameter repeats the parameter.
    """
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']}: AWS refused {error.operation_name}"
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, RotationError) else name
