"""Notifications of one command: begun, waiting for approval, failed, drifted, deployed. None stops it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deployer import report
from deployer.errors import DeployError
from deployer.notify.messages import Notice, Occasion
from deployer.progress import Result
from gatestack import agents, telling
from gatestack.account import clients
from gatestack.environment import Environment
from gatestack.options import Options


def notify(environment: Environment, options: Options, occasion: Occasion, text: str = "") -> None:
    """Tell whoever wants to know that *occasion* has come; a failure is a warning."""
    channels = environment.notified
    if not any(occasion in one.events for one in channels):
        return
    from deployer.aws.stores.parameter_store import decrypted  # noqa: PLC0415 - most are told nothing
    from deployer.notify.sending import send  # noqa: PLC0415 - as above

    notice = Notice(
        occasion,
        environment.name,
        environment.system,
        environment.region,
        text,
        agents.run_url(os.environ),
    )
    made = clients(environment, options)
    for problem in send(
        notice, channels, f"/{environment.prefix}", lambda name: decrypted(made, name), time.sleep
    ):
        telling.warning(problem)


@contextmanager
def deploying(environment: Environment, options: Options) -> Iterator[list[Result]]:
    """Tell that a deployment begins, and how it ends; the block puts its result into the list."""
    notify(environment, options, "begin")
    done: list[Result] = []
    try:
        yield done
    except DeployError as error:
        notify(environment, options, "failure", str(error))
        raise
    for result in done:
        if result.exit_code:
            notify(
                environment, options, "failure", report.first_cause(result) or f"exit code {result.exit_code}"
            )
        else:
            notify(environment, options, "success", f"{len(result.stacks)} stacks in {result.seconds:.0f} s")
