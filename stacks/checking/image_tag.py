"""Validates an image tag from the command line by the rules of the environment file. Pure."""

from __future__ import annotations

from pydantic import ValidationError

from stacks.checking import problems
from stacks.checking.together import findings
from stacks.settings import Settings


def with_image_tag(settings: Settings, tag: str) -> Settings:
    """
    Return *settings* with another ``service.image_tag``.

    Raises:
        ValueError: the environment file could not say that; the message has one line for each problem.

    """
    data = settings.model_dump()
    data["service"]["image_tag"] = tag
    try:
        changed = Settings.model_validate(data)
    except ValidationError as error:
        described = (
            (problems.place_of(one), problems.describe(one, Settings, None))
            for one in error.errors(include_url=False)
        )
        lines = [f"{problems.spelled(place)}: {message}" for place, message in described]
        raise ValueError("\n".join(lines)) from error
    changed = changed.adding(settings.added)
    if found := list(findings(changed)):
        raise ValueError("\n".join(f"{problems.spelled(one.place)}: {one.message}" for one in found))
    return changed
