"""The result of a macro that fails."""

from __future__ import annotations


class TransformFailure(Exception):  # noqa: N818 - CloudFormation's own word
    """A macro cannot transform the template; the text is the reason that is shown."""


def failed(macro: str, problem: str) -> TransformFailure:
    """Return CloudFormation's sentence for a macro of its own that fails."""
    return TransformFailure(f"Transform {macro} failed with: {problem}")
