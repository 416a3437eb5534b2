"""Notifications of one command: started, awaiting approval, failed, drifted, deployed. None stops it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deployer import report
from deployer.actions import PREPARING
from deployer.errors import DeployError
from deployer.notify.messages import Notice
from deployer.progress import Event, Result, StackDecided, Tell
from gatestack import agents, telling
from gatestack.account import clients
from gatestack.environment import Environment
from gatestack.options import Options
from generator.manifest import Occasion


def notify(environment: Environment, options: Options, occasion: Occasion, text: str = "") -> None:
    """Notify the subscribers of *occasion*; a failure is a warning."""
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


class Deploying:
    """A deployment with notifications."""

    def __init__(self, begin: Callable[[], None]) -> None:
        self._begin = begin
        self._begun = False
        self.result: Result | None = None

    def through(self, tell: Tell) -> Tell:
        """Return *tell*, wrapped to notify that the deployment begins, at its first change."""

        def told(event: Event) -> None:
            if isinstance(event, StackDecided) and event.step not in PREPARING and not self._begun:
                self._begun = True
                self._begin()
            tell(event)

        return told

    def ended(self, result: Result) -> None:
        """Note how it ended."""
        self.result = result


@contextmanager
def deploying(environment: Environment, options: Options) -> Iterator[Deploying]:
    """Notify that a deployment begins, and how it ends; one refused before its first change only ends."""
    run = Deploying(lambda: notify(environment, options, "begin"))
    try:
        yield run
    except DeployError as error:
        notify(environment, options, "failure", str(error))
        raise
    if (result := run.result) and result.exit_code:
        notify(environment, options, "failure", report.first_cause(result) or f"exit code {result.exit_code}")
    elif result:
        notify(environment, options, "success", f"{len(result.stacks)} stacks in {result.seconds:.0f} s")
