"""What tests of whole runs share: a cloud, a clock, any number of runs, and small environments."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from deployer.deploy import deploy, destroy
from deployer.options import Host, Options
from deployer.progress import Event, Result
from generator.manifest import Manifest, StackSpec
from tests.deployer.fakes import Clock, FakeCloud, host, spec, template


class World:
    """One account, one clock, any number of runs."""

    def __init__(self, **cloud: Any) -> None:
        self.clock = Clock()
        self.cloud = FakeCloud(self.clock, **cloud)
        self.told: list[Event] = []
        self.runs = 0
        self.signals: list[float] = []
        """Times at which somebody presses Ctrl-C."""

    def deploy(self, wanted: Manifest, **options: Any) -> Result:
        return deploy(wanted, self.cloud, Options(**options), self._host())

    def destroy(self, wanted: Manifest, **options: Any) -> Result:
        return destroy(wanted, self.cloud, Options(**options), self._host())

    def _host(self) -> Host:
        self.runs += 1

        def stop() -> int:
            return sum(self.clock.now >= at for at in self.signals)

        return host(self.clock, self.told, f"run{self.runs}", stop)

    def forget(self) -> None:
        self.cloud.calls.clear()
        self.told.clear()

    def said(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]


def outcomes(result: Result) -> dict[str, tuple[str, str]]:
    return {stack.name: (stack.action, stack.outcome) for stack in result.stacks}


def with_topic(one: StackSpec, **resources: Any) -> StackSpec:
    document = json.loads(one.template)
    document["Resources"] |= resources
    return replace(one, template=json.dumps(document))


FIVE = (
    spec("security", template(exports=["dev-security-Key"])),
    spec("network", template(exports=["dev-network-Vpc"])),
    spec("alb", template(exports=["dev-alb-Arn"], imports=["dev-network-Vpc"])),
    spec(
        "database", template(exports=["dev-database-Host"], imports=["dev-network-Vpc", "dev-security-Key"])
    ),
    spec("service", template(imports=["dev-alb-Arn", "dev-database-Host"])),
)


BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {}}
