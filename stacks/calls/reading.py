"""All AWS calls of an environment's tasks, from every key that implies one; read once."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.calls import bedrock
from stacks.calls.call import Call, Grant, Reading
from stacks.calls.grants import granted
from stacks.checking.problems import spelled
from stacks.settings import Settings
from stacks.systems import application


def reading(settings: Settings) -> Reading:
    """Return the calls of the application's own file, and of the models that the file names in addition."""
    own = application(settings.system).calls(settings)
    calls = (*_named(settings), *own.calls)
    return Reading(calls, own.findings, (*own.advice, *_far(calls)))


def grants(settings: Settings) -> tuple[Grant, ...]:
    """Return what the tasks' role is allowed for the calls."""
    return granted(reading(settings).calls)


def _far(calls: tuple[Call, ...]) -> Iterator[str]:
    """Yield each profile that is called from a region that does not offer it."""
    for one in calls:
        for resource in (resource for need in one.needs for resource in need.resources):
            geography = bedrock.geography_of(resource)
            if geography and not one.region.startswith(geography):
                where = spelled((*one.key.split("."), *one.below))
                name = resource.rpartition("/")[2]
                yield f"{where}: {name} is called in {one.region}, and AWS offers it in other regions"


def _named(settings: Settings) -> tuple[Call, ...]:
    region, key = settings.region, "service.bedrock_models"
    return tuple(
        Call("bedrock-runtime", region, bedrock.needs(model, region), key, (index,))
        for index, model in enumerate(settings.service.bedrock_models)
    )
