"""
Changes outside the change set that a plan shows: widened permissions, and uploaded files.

A deployed file is read from its bucket. Where that is not allowed, or it does not exist, the plan says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from deployer.cloud import Cloud
from deployer.errors import CloudError
from deployer.facts.permissions import widened
from deployer.facts.uploads import FileChange, file_change, replaced_keys
from deployer.plan import StackPlan
from deployer.run.leftovers import Scope
from deployer.states import StackState
from generator.manifest import StackSpec, Upload


def with_contents(plan: StackPlan, spec: StackSpec, scope: Scope, cloud: Cloud) -> StackPlan:
    """Return *plan* with the permissions that its update widens, and the changes of its files."""
    if plan.action != "update" or plan.stack is None:
        return plan
    wanted = json.loads(spec.template).get("Resources", {})
    files = tuple(_files(spec, plan.stack, scope, cloud))
    return replace(plan, permissions=widened(spec.name, plan.changes, wanted), files=files)


def _files(spec: StackSpec, stack: StackState, scope: Scope, cloud: Cloud) -> Iterator[FileChange]:
    if not spec.uploads:
        return
    try:
        replaced = replaced_keys(spec, cloud.template(stack.id))
    except CloudError as error:
        yield from (
            FileChange(spec.name, one.file, problem=f"the deployed template cannot be read: {error}")
            for one in spec.uploads
        )
        return
    buckets = {each.export: each.value for state in scope.states or () for each in state.outputs}
    for one, key in replaced.items():
        after = scope.manifest.files[one.file]
        yield _one(spec.name, one, key, after, buckets.get(one.bucket_export), cloud)


def _one(stack: str, one: Upload, key: str, after: bytes, bucket: str | None, cloud: Cloud) -> FileChange:
    where = f"s3://{bucket or one.bucket_export}/{key}"
    try:
        bucket = bucket or {each.name: each.value for each in cloud.exports()}.get(one.bucket_export)
        before = cloud.get_object(bucket, key) if bucket else None
    except CloudError as error:
        return FileChange(stack, one.file, problem=f"the deployed text cannot be read ({where}): {error}")
    if before is None:
        return FileChange(stack, one.file, problem=f"the deployed text is not there ({where})")
    return file_change(stack, one.file, before, after)
