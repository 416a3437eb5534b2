"""
Log groups that are created again after their stack was deleted, by a service that still writes to them.

RDS does so for a database's log, Lambda for a function's; the next deployment would find the name taken. Only
groups are deleted that this run's own deletions removed, by exact name, and that have no tags.
"""

from __future__ import annotations

from collections.abc import Collection

from deployer.cloud import Cloud
from deployer.errors import DeployError
from deployer.progress import Notice, Tell
from deployer.run.work import Work

TYPE = "AWS::Logs::LogGroup"


def sweep(works: Collection[Work], cloud: Cloud, tell: Tell) -> None:
    """Delete log groups of *works* that exist again after their deletion; a failure is only reported."""
    gone = {
        name for work in works if work.result and work.result.outcome == "done" for name in work.log_groups
    }
    if not gone:
        return
    try:
        found = cloud.taken({TYPE: gone}).holders
        back = sorted(one.name for one in found if one.tags == {})
        for name in back:
            cloud.delete_log_group(name)
    except DeployError as error:
        tell(Notice(f"whether log groups came back could not be checked: {error}", warning=True))
        return
    if back:
        what = f"{', '.join(back)} came back after its deletion"
        tell(Notice(f"{what}, because a service wrote to it again: deleted again"))
