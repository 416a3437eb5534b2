"""The database migration in a plan: when it runs, what precedes it, which tasks meet the new schema."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from deployer.cloud import Cloud
from deployer.errors import CloudError
from deployer.graph import wiring
from deployer.plan import StackPlan
from deployer.run.migrating import deployed
from deployer.run.schema_migration import count_of, foretold, needed
from generator.manifest import Manifest


def foretold_migrations(manifest: Manifest, plans: Collection[StackPlan], cloud: Cloud) -> Iterator[str]:
    """Yield which of *plans* begin with a database migration; a plan runs none."""
    specs = {spec.name: spec for spec in manifest.stacks}
    for one in plans:
        wanted = specs[one.name].migration
        if wanted is None or one.problems or one.action not in {"create", "update"}:
            continue
        try:
            now = deployed(cloud, specs[one.name], one.stack)
        except CloudError as error:
            yield f"{one.name}: the schema migration could not be checked: {error}"
            continue
        need = needed(wanted, count=count_of(specs[one.name], one.parameters), live=now)
        if need.needed:
            new = any(
                each.action in {"create", "recreate"}
                and wanted.definition_export in wiring(specs[each.name]).exports
                for each in plans
            )
            first = wanted.snapshot is not None and not new  # a new database holds nothing
            yield f"{one.name}: {foretold(wanted, need, snapshot=first, live=now)}"
