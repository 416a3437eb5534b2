"""
The least that a deployment by change sets takes: `python -m bench.floor FOLDER`, as `generate` wrote it.

botocore and nothing else: every stack whose imports are there is made at once, one thread each; a change set
is made, waited for and executed, and the stack waited for, asking again after 20 ms; files are put where the
stacks want them. No plan, no events, no look-ups, no migration, no account check, no rollback, nothing is
resumed, and a failure is a traceback. A real deployment has to do more; none can do less.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

PAUSE = 0.02
"""Seconds between two questions."""
Stack = Mapping[str, Any]


def main() -> None:
    """Deploy the folder given."""
    folder = Path(sys.argv[1])
    index = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    stacks = {
        one["name"]: (one, (folder / f"{one['name']}.json").read_text(encoding="utf-8"))
        for one in index["stacks"]
    }
    session = botocore.session.get_session()
    several = Config(max_pool_connections=16)
    client = session.create_client("cloudformation", region_name=index["region"], config=several)
    s3 = session.create_client("s3", region_name=index["region"]) if index["files"] else None
    existing = {one["StackName"] for one in client.describe_stacks()["Stacks"]}
    templates = {name: json.loads(text) for name, (_, text) in stacks.items()}
    needs = _needs(templates)
    done: set[str] = set()
    going: dict[Any, str] = {}
    with ThreadPoolExecutor(len(stacks)) as pool:
        while len(done) < len(stacks):
            for name in stacks.keys() - done - set(going.values()):
                if needs[name] <= done:
                    stack, text = stacks[name]
                    _upload(client, s3, stack, folder)
                    new = stack["stack_name"] not in existing
                    given = _parameters(templates[name], index["region"], new=new)
                    going[pool.submit(_deploy, client, stack, text, given, new=new)] = name
            ended, _ = wait(going, return_when=FIRST_COMPLETED)
            for one in ended:
                one.result()
                done.add(going.pop(one))


def _upload(client: Any, s3: Any, stack: Stack, folder: Path) -> None:
    """Upload the files of *stack*; the bucket is another stack's."""
    for one in stack["uploads"]:
        exports = {export["Name"]: export["Value"] for export in client.list_exports()["Exports"]}
        body = (folder / one["file"]).read_bytes()
        s3.put_object(Bucket=exports[one["bucket_export"]], Key=one["key"], Body=body)


def _parameters(template: Mapping[str, Any], region: str, *, new: bool) -> list[dict[str, Any]]:
    """Return a value of each parameter without a default: the network's zones, the existing ones if any."""
    zones: dict[str, Any] = {"ParameterValue": f"{region}a,{region}b"} if new else {"UsePreviousValue": True}
    missing = [key for key, one in template.get("Parameters", {}).items() if "Default" not in one]
    return [{"ParameterKey": key, **zones} for key in missing]


def _deploy(client: Any, stack: Stack, text: str, parameters: Any, *, new: bool) -> None:
    made = client.create_change_set(
        StackName=stack["stack_name"],
        ChangeSetName="floor",
        ChangeSetType="CREATE" if new else "UPDATE",
        TemplateBody=text,
        Parameters=parameters,
        Capabilities=stack["capabilities"],
        Tags=[{"Key": key, "Value": value} for key, value in stack["tags"].items()],
    )
    while (found := client.describe_change_set(ChangeSetName=made["Id"]))["Status"].endswith(
        ("_PENDING", "_IN_PROGRESS")
    ):
        time.sleep(PAUSE)
    if found["Status"] == "FAILED":  # nothing to change
        client.delete_change_set(ChangeSetName=made["Id"])
        return
    client.execute_change_set(ChangeSetName=made["Id"])
    while (status := client.describe_stacks(StackName=made["StackId"])["Stacks"][0]["StackStatus"]).endswith(
        "_IN_PROGRESS"
    ):
        time.sleep(PAUSE)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise ClientError({"Error": {"Code": status, "Message": stack["stack_name"]}}, "ExecuteChangeSet")


def _needs(templates: Mapping[str, Any]) -> dict[str, set[str]]:
    exported = {
        output["Export"]["Name"]: name
        for name, template in templates.items()
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    return {name: {exported[one] for one in _imports(template)} for name, template in templates.items()}


def _imports(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key == "Fn::ImportValue":
                yield one
            else:
                yield from _imports(one)
    elif isinstance(value, list):
        for one in value:
            yield from _imports(one)


if __name__ == "__main__":
    main()
