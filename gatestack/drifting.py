"""Drift of an environment, for `drift` and `plan`."""

from __future__ import annotations

from collections.abc import Mapping

from deployer.aws.stores.parameter_store import Parameters
from deployer.cloud import Cloud
from deployer.day2.drift import detect, with_patches, without_own
from deployer.day2.drift import notes as drift_notes
from deployer.day2.drift_state import Drift
from gatestack.account import clients, poll_interval
from gatestack.environment import Environment
from gatestack.options import Options
from gatestack.signals import host


def notes(environment: Environment, cloud: Cloud, options: Options) -> tuple[str, ...]:
    """Return a plan's notes on drift."""
    return drift_notes(detected(environment, environment.stack_names, cloud, options))


def detected(environment: Environment, names: Mapping[str, str], cloud: Cloud, options: Options) -> Drift:
    """Return the drift of the stacks *names*, without gatestack's own changes."""
    with host(lambda _: None) as here:
        interval = poll_interval(environment, options)
        found = detect(environment.name, names, cloud, here, poll_interval=interval)
    if found.interrupted or not any(stack.resources for stack in found.stacks):
        return found
    found = without_own(found, Parameters(clients(environment, options), f"/{environment.prefix}").is_own)
    return with_patches(found, environment.patched)
