"""What an environment's tasks call of AWS's, from every key that says so: read once, for all who ask."""

from __future__ import annotations

from stacks.calls import bedrock
from stacks.calls.call import Call, Grant, Reading
from stacks.calls.grants import granted
from stacks.settings import Settings
from stacks.systems import application


def reading(settings: Settings) -> Reading:
    """Return the calls of the application's own file, and those of the models that the file names beside."""
    own = application(settings.system).calls(settings)
    return Reading((*_named(settings), *own.calls), own.findings, own.advice)


def grants(settings: Settings) -> tuple[Grant, ...]:
    """Return what the tasks' role is allowed for the calls."""
    return granted(reading(settings).calls)


def _named(settings: Settings) -> tuple[Call, ...]:
    region, key = settings.region, "service.bedrock_models"
    return tuple(
        Call("bedrock-runtime", region, bedrock.needs(model, region), key, (index,))
        for index, model in enumerate(settings.service.bedrock_models)
    )
