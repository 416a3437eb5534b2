"""Container images: ECR repositories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources import require
from sandbox.resources.handler import Call, Handler


def _create(call: Call) -> Provisioned:
    name = call.name("RepositoryName", 256, lower=True)
    require.key(call, call.properties.get("EncryptionConfiguration", {}).get("KmsKey"))
    made = call.apply("ecr", "create_repository", repositoryName=name, tags=call.tags)["repository"]
    begun = call.begin(name, Arn=made["repositoryArn"], RepositoryUri=made["repositoryUri"])
    _set_policies(call, name, {})
    return begun


def _adopt(call: Call, name: str) -> Provisioned:
    found = call.ask("ecr", "describe_repositories", repositoryNames=[name])["repositories"][0]
    return Provisioned(name, {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]})


def _set_policies(call: Call, name: str, old: Mapping[str, Any]) -> None:
    if call.changed(old, "LifecyclePolicy"):
        text = call.properties.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        if text:
            call.ask("ecr", "put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=text)
        else:
            call.ask("ecr", "delete_lifecycle_policy", repositoryName=name)
    if call.changed(old, "RepositoryPolicyText"):
        if "RepositoryPolicyText" in call.properties:
            policy = call.properties["RepositoryPolicyText"]
            call.ask("ecr", "set_repository_policy", repositoryName=name, policyText=policy)
        else:
            call.ask("ecr", "delete_repository_policy", repositoryName=name)


def _update(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    name = current.physical_id
    if call.changed(old, "ImageTagMutability"):
        mutability = call.properties.get("ImageTagMutability", "MUTABLE")
        call.ask("ecr", "put_image_tag_mutability", repositoryName=name, imageTagMutability=mutability)
    if call.changed(old, "ImageScanningConfiguration"):
        scanning = call.properties.get("ImageScanningConfiguration", {"ScanOnPush": False})
        call.ask(
            "ecr",
            "put_image_scanning_configuration",
            repositoryName=name,
            imageScanningConfiguration=scanning,
        )
    _set_policies(call, name, old)
    call.retag("ecr", "tag_resource", "untag_resource", resourceArn=current.attributes["Arn"])
    return current


def _delete(call: Call, current: Provisioned) -> None:
    empty = str(call.properties.get("EmptyOnDelete", False)).lower() == "true"
    call.ask("ecr", "delete_repository", repositoryName=current.physical_id, force=empty)


HANDLERS: Mapping[str, Handler] = {"AWS::ECR::Repository": Handler(_create, _update, _delete, _adopt)}
