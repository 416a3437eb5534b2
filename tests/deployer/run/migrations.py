"""What tests of migrations share: an environment with a database to migrate, and what was seen of it."""

from __future__ import annotations

import json
from typing import Any

from deployer.progress import Notice, Result
from deployer.tasks import TaskState
from generator.manifest import Lookup, Manifest, Migration, SnapshotFirst
from tests.deployer.fakes import DEFINITION, manifest, spec, template
from tests.deployer.run.runs import World

EXPORT = "dev-database-Definition"


FIRST = SnapshotFirst("dev-litellm-db", cluster=False, keep=3)


def migration(tag: str = "v1", **more: Any) -> Migration:
    return Migration(
        image=f"dev-litellm:{tag}",
        definition_export=EXPORT,
        cluster="dev-migration",
        container="migration",
        subnet_exports=("dev-network-A", "dev-network-B"),
        security_group_exports=("dev-network-Group",),
        log_group="/ecs/dev-migration",
        **more,
    )


def metadata(tag: str) -> dict[str, Any]:
    return {"gatestack": {"migration": {"image": f"dev-litellm:{tag}"}}}


FAILED = TaskState("", exit_code=1, reason="Essential container in task exited")


def gateway(tag: str = "v1", *, size: str = "1", place: str = "host-1", **service: Any) -> Manifest:
    """A network, a database at *place* with the migration's task definition, and the service."""
    database = json.loads(template(imports=["dev-network-A"]))
    database["Outputs"]["Host"] = {"Value": place, "Export": {"Name": "dev-database-Host"}}
    definition = {"Value": f"{DEFINITION}dev-litellm:{tag}", "Export": {"Name": EXPORT}}
    database["Outputs"]["Definition"] = definition
    proxy = json.loads(template(imports=["dev-database-Host"]))
    proxy["Resources"]["Task"] = {"Type": "AWS::SNS::Topic", "Properties": {"Image": tag, "Size": size}}
    proxy["Metadata"] = metadata(tag)
    facts = {"repository": "dev-litellm", "tag": tag, "count": "2", "scaled": "false"}
    more = {
        "lookups": (Lookup("DesiredCount", "desired-count", facts),),
        "migration": migration(tag),
        "login_secret": "dev/database-login",
    } | service
    return manifest(
        spec("network", template(exports=["dev-network-A", "dev-network-B", "dev-network-Group"])),
        spec("database", json.dumps(database)),
        spec("service", json.dumps(proxy), **more),
    )


def ran(world: World) -> list[str]:
    """The images whose migration was run, in order; repeated requests run none."""
    return [one.request.definition.removeprefix(DEFINITION) for one in world.cloud.tasks.values()]


def methods(world: World) -> list[str]:
    return [method for method, _ in world.cloud.calls]


def notices(world: World) -> list[str]:
    return [notice.text for notice in world.said(Notice) if notice.stack == "service"]


def prepared(world: World) -> list[str]:
    """Change sets that were not executed."""
    states = [one.state for one in world.cloud.made.values()]
    return [state.name for state in states if state.execution == "AVAILABLE"]


def is_gone(world: World) -> bool:
    """Whether the service has no tasks after a moment."""
    world.clock.sleep(20)
    return world.cloud.status("dev-service") == "" and prepared(world) == []


def of_service(result: Result) -> Any:
    return next(stack for stack in result.stacks if stack.name == "service")
