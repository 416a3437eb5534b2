"""Two stacks on a sandbox of fakes, in a folder as `generate` writes it: a command takes a moment there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generator.manifest import Manifest, write
from sandbox.backing import Backing
from sandbox.clock import RealClock
from sandbox.errors import invalid
from sandbox.server import Sandbox
from tests.command import KEY, LOGIN
from tests.deployer.fakes import in_a_folder, manifest
from tests.forked_commands import Commands, Process, Ran
from tests.sandbox.sandbox_fakes import FakeProvisioner, FakeSchemas, thing
from tests.sandbox.sandbox_wire import imported, made_of
from tests.serving import always

ARGUMENTS = {
    "plan": ("plan", "{env}"),
    "deploy": ("deploy", "{env}", "--yes"),
    "status": ("status", "{env}"),
    "verify": ("verify", "{env}"),
    "destroy": ("destroy", "{env}", "--yes"),
    "cost": ("cost", "{env}", "--live"),
}
FIVE = ("plan", "deploy", "status", "verify", "destroy")
ROUND = ("plan", "status", "verify", "destroy", "deploy")
"""The five, each of which finds what the one before it leaves."""
ENV = "built"
"""The environment's name."""


def two() -> Manifest:
    arn = {"Fn::GetAtt": "One.Arn"}
    net = made_of("net", {"One": thing(Value="größe ☃")}, {"Arn": arn})
    return in_a_folder(
        manifest(net, made_of("web", {"A": thing(Value=imported("dev-net-Arn"))}), region="us-east-1")
    )


class Small:
    """The sandbox, and the folder that commands run in."""

    def __init__(self, sandbox: Sandbox, folder: Path, commands: Commands) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self._commands = commands

    def ready(self, command: str) -> None:
        """Prepare the state for *command*: nothing to deploy, or everything."""
        if command == "deploy":
            self.sandbox.control.reset()
        elif command in FIVE and not self._whole():
            self.sandbox.control.reset()
            done = self.run("deploy", {"AWS_ENDPOINT_URL": self.sandbox.endpoint, **LOGIN})
            assert done.code == 0, done.err

    def run(self, command: str, variables: dict[str, str], process: Process | None = None) -> Ran:
        """Run *command*; it polls often."""
        arguments = [part.format(env=ENV) for part in ARGUMENTS[command]]
        often = {"GATESTACK_POLL_INTERVAL": "0.02"}
        return self._commands.run(self.folder, often | variables, *arguments, process=process)

    def _whole(self) -> bool:
        """Whether both stacks exist and wait for nothing."""
        found = self.sandbox.control.call("DescribeStacks", {}, "us-east-1")["Stacks"]
        return [one["StackStatus"] for one in found] == ["CREATE_COMPLETE"] * 2


@contextmanager
def small(folder: Path, commands: Commands) -> Iterator[Small]:
    """Give a sandbox of fakes while the block lasts; its environment is *folder*'s `built`."""
    write(two(), folder / ENV)
    provisioner = FakeProvisioner()

    def fetch(_: str) -> str:
        raise invalid("TemplateURL must be a supported URL.")

    nothing = always("501 Not Implemented", "text/plain", b"")
    backing = Backing(lambda _: provisioner, FakeSchemas(), fetch, nothing)
    with Sandbox(clock=RealClock(20_000), backing=backing, key=KEY) as sandbox:
        yield Small(sandbox, folder, commands)
