"""The last screens of `verify` and `rotate`, as they are recorded: situation -> facts, the lines."""

from __future__ import annotations

from deployer.day2.rotation import Rotation
from deployer.day2.verification import Check
from gatestack.ending.day2 import Rotated, of_checks, of_rotation
from gatestack.ending.facts import Ending

STACKS = tuple(
    Check(f"stack {name}", "ok", "CREATE_COMPLETE") for name in ("security", "network", "alb", "database")
)
SKIPPED = Check("endpoint", "skipped", "an emulated load balancer cannot be connected to")
DEPLOY = "`gatestack deploy dev` creates it"
OLD = Check(
    "database version",
    "warning",
    "PostgreSQL 13 loses its support on 2026-02-28",
    "raise database.engine_version",
)
GRANT = "grant secretsmanager:GetSecretValue"
UNREAD = tuple(
    Check(name, "unknown", "not allowed", GRANT)
    for name in ("key A", "key B", "master key", "database login")
)
LOGIN = "dev-litellm/database-login"
RESUME = "gatestack rotate dev database --no-wait-rollout"


def placeholder(name: str) -> Check:
    what = f"{name} of dev-litellm/api-keys is still the placeholder"
    return Check(f"key {name}", "failed", what, f"`gatestack secret set dev {name}`")


def rotated(status: str, rollout: str, reason: str = "", error: str = "") -> Ending:
    rotation = Rotation(LOGIN, "v", "FAILED" if status == "FAILED" else "COMPLETED", 41.2, reason)
    return of_rotation("dev", "dev --region us-east-1", RESUME, Rotated(rotation, rollout, error))


DAY2 = {
    "healthy": (of_checks("dev", "dev", (*STACKS, SKIPPED)), "\ndev: 4 checks passed, 1 skipped\n"),
    "healthy, and one thing to come": (
        of_checks("dev", "dev", (*STACKS, OLD)),
        """
dev: 4 of 5 checks passed, none failed
warning: database version -> raise database.engine_version
""",
    ),
    "what may not be read": (
        of_checks("dev", "dev", (STACKS[0], *UNREAD)),
        f"""
dev: 1 of 5 checks passed, none failed
warning: key A, key B, master key and 1 more -> {GRANT}
""",
    ),
    "placeholders and a warning": (
        of_checks(
            "dev", "dev --sandbox", (*STACKS, placeholder("KEY_A"), placeholder("KEY_B"), OLD, SKIPPED)
        ),
        """
dev: 2 of 7 checks failed, 1 skipped
  key KEY_B -> `gatestack secret set dev KEY_B`
warning: database version -> raise database.engine_version
next:
  gatestack verify dev --sandbox  # once that is done, check again
error: KEY_A of dev-litellm/api-keys is still the placeholder: `gatestack secret set dev KEY_A`
""",
    ),
    "nothing deployed": (
        of_checks("dev", "dev", tuple(Check(one.name, "failed", "not there", DEPLOY) for one in STACKS)),
        f"""
dev: 4 of 4 checks failed
next:
  gatestack verify dev  # once that is done, check again
error: stack security: not there: {DEPLOY}
""",
    ),
    "more than a screen": (
        of_checks("dev", "dev", tuple(placeholder(f"KEY_{n}") for n in range(20))),
        "\n".join(
            (
                "",
                "dev: 20 of 20 checks failed",
                *(f"  key KEY_{n} -> `gatestack secret set dev KEY_{n}`" for n in range(1, 7)),
                "  and 13 more: `gatestack verify dev --format json`",
                "next:",
                "  gatestack verify dev  # once that is done, check again",
                f"error: {placeholder('KEY_0').detail}: `gatestack secret set dev KEY_0`",
                "",
            )
        ),
    ),
    "rotated": (
        rotated("COMPLETED", "COMPLETED"),
        f"\ndev: {LOGIN} is rotated, and its new tasks run (41.2 s)\n",
    ),
    "rotated alone": (
        rotated("COMPLETED", "SKIPPED"),
        f"""
dev: {LOGIN} is rotated; its new tasks were not waited for (41.2 s)
next:
  gatestack verify dev --region us-east-1  # check that they run
""",
    ),
    "not rotated": (
        rotated(
            "FAILED",
            "SKIPPED",
            "it keeps failing at setSecret: RuntimeError: `gatestack docs rotation-failed`",
        ),
        f"""
dev: {LOGIN} is not rotated (41.2 s)
next:
  {RESUME}  # once the cause is fixed, resume
error: it keeps failing at setSecret: RuntimeError: `gatestack docs rotation-failed`
""",
    ),
    "rotated, and the old tasks run": (
        rotated(
            "COMPLETED", "ROLLED_BACK", error=f"{LOGIN} is rotated, but its new tasks do not run: exit code 1"
        ),
        f"""
dev: {LOGIN} is rotated, and its new tasks do not run (41.2 s)
next:
  gatestack rollout dev --region us-east-1  # once the cause is fixed, before the next rotation
error: {LOGIN} is rotated, but its new tasks do not run: exit code 1
""",
    ),
}
