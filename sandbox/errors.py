"""Errors of API calls: AWS's code, message and HTTP status."""

from __future__ import annotations


class ApiError(Exception):
    """A refused call, with the service's message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class ResourceFailure(Exception):  # noqa: N818 - CloudFormation's own term
    """A resource or an operation fails while it runs; the text is the reason in the events."""


def invalid(message: str) -> ApiError:
    """Return CloudFormation's ValidationError."""
    return ApiError("ValidationError", message)
