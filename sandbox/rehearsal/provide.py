"""Provides what an account has before a deployment: hosted zones, VPCs, certificates, images."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Any

from sandbox.rehearsal import certificates, networks
from sandbox.services.services import Services

Provide = Callable[[Mapping[str, Any], Collection[str]], Mapping[str, Any]]
"""From the parameters and the existing regions to the result; raises ValueError."""
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def provided(services: Services) -> Provide:
    """Return a function that creates a ``zone``, ``vpc``, ``certificate`` or ``image`` behind *services*."""

    def provide(wanted: Mapping[str, Any], regions: Collection[str]) -> Mapping[str, Any]:
        if "zone" in wanted:
            return {"zone": _zone(services, wanted["zone"].rstrip("."), wanted.get("id", ""))}
        if "vpc" in wanted:
            place = (wanted["region"], wanted["cidr"], wanted["vpc"])
            return networks.make(services, *place, wanted["subnets"])
        if "certificate" in wanted:
            given = (wanted["certificate"], wanted["region"], wanted["arn"])
            return {"certificate": certificates.make(services, *given)}
        where = _image(services, wanted["image"], regions)
        if wanted.get("from"):
            services.service_tasks.made_from(wanted["image"].rpartition(":")[0], wanted["from"])
        return {"image": where}

    return provide


def there(services: Services, region: str) -> Mapping[str, list[str]]:
    """Return the existing resources of these kinds: ids of zones, VPCs and subnets, ARNs of certificates."""
    held = services.client("acm", region).list_certificates()["CertificateSummaryList"]
    arns = [str(one["CertificateArn"]) for one in held]
    return {"zones": [*zones(services)], "certificates": arns, **networks.there(services, region)}


def zones(services: Services) -> Mapping[str, str]:
    """Return the names of the hosted zones, by their ids."""
    there = services.client("route53", "us-east-1").list_hosted_zones()["HostedZones"]
    return {str(one["Id"]).rsplit("/", 1)[-1]: str(one["Name"]).rstrip(".") for one in there}


def _zone(services: Services, name: str, zone_id: str) -> str:
    there = zones(services)
    if zone_id in there:
        raise ValueError(f"the zone {zone_id} is there already, for {there[zone_id]}")
    return services.hosted_zone(name, zone_id)


def _image(services: Services, image: str, regions: Collection[str]) -> str:
    """Put an image without layers into the existing repository; returns the regions."""
    repository, colon, tag = image.rpartition(":")
    if not colon or not repository:
        raise ValueError(f"{image} is no REPOSITORY:TAG")
    here = [region for region in sorted(regions) if repository in _repositories(services, region)]
    if not here:
        raise ValueError(f"there is no repository {repository}: deploy the stack that makes it first")
    config = sha256(image.encode()).hexdigest()
    about = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 0}
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": {**about, "digest": f"sha256:{config}"},
        "layers": [],
    }
    for region in here:
        given = {"repositoryName": repository, "imageManifest": json.dumps(manifest), "imageTag": tag}
        client: Any = services.client("ecr", region)
        try:
            client.put_image(**given)
        except client.exceptions.ImageAlreadyExistsException as error:
            raise ValueError(f"{image} is there already") from error
    return ", ".join(here)


def _repositories(services: Services, region: str) -> list[str]:
    found = services.client("ecr", region).describe_repositories()["repositories"]
    return [str(one["repositoryName"]) for one in found]
