"""
Stand-ins on the PATH for docker and cosign: they record what they are asked, and answer as a test wants.

docker's `push` puts an image of that name into the ECR of the sandbox, so that tasks of it can start.
"""

import json
import os
import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from gatestack.image.base_image import Base, bases
from tests.command import User
from tests.places import ROOT

_RECORD = """#!{python}
# A stand-in for {name}: see tests/programs_on_path.py.
import json, sys
folder = {folder!r}
asked = sys.argv[1:]
password = sys.stdin.read() if "--password-stdin" in asked else ""
with open(folder + "/calls.jsonl", "a") as file:
    file.write(json.dumps([{name!r}, *asked]) + "\\n")
if password:
    with open(folder + "/password", "w") as file:
        file.write(password)
with open(folder + "/answers.json") as file:
    code, out, err = json.load(file).get(" ".join([{name!r}, *asked[:1]]), (0, "", ""))
sys.stdout.write(out)
sys.stderr.write(err)
if asked[:1] == ["push"] and code == 0:
    import boto3
    registry, _, rest = asked[1].partition("/")
    repository, _, tag = rest.rpartition(":")
    kind = "application/vnd.docker."
    manifest = {{
        "schemaVersion": 2,
        "mediaType": kind + "distribution.manifest.v2+json",
        "config": {{"mediaType": kind + "container.image.v1+json", "size": len(tag), "digest": tag}},
        "layers": [],
    }}
    client = boto3.client("ecr", region_name=registry.split(".")[3])
    client.put_image(repositoryName=repository, imageManifest=json.dumps(manifest), imageTag=tag)
sys.exit(code)
"""


@dataclass(frozen=True)
class Programs:
    """The stand-ins of one test."""

    folder: Path

    @classmethod
    def at(cls, folder: Path, *names: str) -> "Programs":
        """Put stand-ins called *names* into *folder*."""
        folder.mkdir(parents=True)
        made = cls(folder)
        made._answers().write_text(json.dumps({"cosign verify": (0, signed(), "")}))
        for name in names:
            path = folder / name
            path.write_text(_RECORD.format(python=sys.executable, name=name, folder=str(folder)))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return made

    def answer(self, command: str, code: int, out: str = "", err: str = "") -> None:
        """Let *command* (``docker push``) end with *code*, having said *out* and *err*."""
        answers = json.loads(self._answers().read_text())
        self._answers().write_text(json.dumps(answers | {command: (code, out, err)}))

    def of(self, user: User) -> User:
        """Return *user* with the stand-ins before everything else on the PATH, but without the real ones."""
        path = f"{self.folder}:{without('docker', 'cosign')}"
        return replace(user, variables=user.variables | {"PATH": path})

    @property
    def calls(self) -> list[list[str]]:
        """Arguments of all calls."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def password(self) -> str:
        """The password on docker's stdin."""
        return (self.folder / "password").read_text()

    def _answers(self) -> Path:
        return self.folder / "answers.json"


VERIFIED = "sha256:" + "5e" * 32
"""The digest that cosign verifies here if image/Dockerfile pins none."""


def pinned() -> Base:
    """Return the pinned release of image/Dockerfile."""
    (found,) = bases((ROOT / "image" / "Dockerfile").read_text())
    return found


def signed(digest: str = "") -> str:
    """Return cosign's output for *digest*, or for the pinned one, after its verification."""
    image = {"docker-manifest-digest": digest or pinned().digest or VERIFIED}
    return json.dumps([{"critical": {"image": image}, "optional": {}}])


def without(*names: str) -> str:
    """Return the PATH without the folders with a program of *names*."""
    folders = os.environ["PATH"].split(":")
    return ":".join(one for one in folders if not any((Path(one) / name).exists() for name in names))
