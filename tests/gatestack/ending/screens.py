"""The last screens of a run, as they are recorded: situation -> result, what else is known, the lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

from deployer.kept import Kept
from deployer.lookups import desired_count
from deployer.progress import Cause, Owed, Result, StackOutput, StackResult, Verb
from gatestack.ending.facts import Known
from gatestack.sandbox_here import RUNS_NOTHING

STACKS = ("security", "network", "alb", "database", "service")
URL = "http://dev-litellm-1.us-east-1.elb.amazonaws.com"
OUTPUTS = (
    *(
        StackOutput("security", f"Secret{n}Arn", f"arn:aws:secretsmanager:us-east-1:1:secret:{n}")
        for n in range(30)
    ),
    StackOutput("alb", "Url", URL),
)
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")


def done(action: Verb, *names: str) -> tuple[StackResult, ...]:
    status = {
        "create": "CREATE_COMPLETE",
        "update": "UPDATE_COMPLETE",
        "delete": "",
        "none": "CREATE_COMPLETE",
    }
    return tuple(stack(name, action, status=status[action]) for name in names)


def stack(name: str, action: Verb = "none", **more: object) -> StackResult:
    made = StackResult(name, f"dev-litellm-{name}", action, "done", "", 9.0)
    return replace(made, **more)  # type: ignore[arg-type]


def skipped(*names: str, reason: str = "") -> tuple[StackResult, ...]:
    return tuple(stack(name, "skipped", outcome="skipped", reason=reason) for name in names)


def run(*stacks: tuple[StackResult, ...], **more: object) -> Result:
    made = Result("dev", "deploy", tuple(one for each in stacks for one in each), OUTPUTS, 19.5)
    return replace(made, **more)  # type: ignore[arg-type]


def no_image() -> Owed:
    facts = {"count": "2", "repository": "dev-litellm", "tag": "v1.2.3", "scaled": "true"}
    found = desired_count(facts, environment="dev", image=False, previous=None, unchanged=False)
    return Owed(found.owed, found.steps, "service")


NOTHING_ELSE = Known()
NEW = Known((no_image(),), KEYS)
NO_CAPACITY = Cause(
    "Database", "AWS::RDS::DBInstance", "CREATE_FAILED", "no capacity here", "pick another class"
)
CONSENT = "it would replace or remove Database (AWS::RDS::DBInstance), which holds data; to allow it: "
EXPIRED = "the AWS credentials have expired: log in again (ExpiredToken)"


@dataclass(frozen=True)
class Screen:
    """One situation."""

    result: Result
    lines: str
    """The lines on the screen, the address and the cause included."""
    known: Known = NOTHING_ELSE


def failed(status: str) -> StackResult:
    return stack("database", "create", outcome="failed", status=status, cause=NO_CAPACITY)


SCREENS = {
    "created": Screen(
        run(done("create", *STACKS)),
        f"""
dev: 5 stacks deployed in 19.5 s
warning: service: the image dev-litellm:v1.2.3 is not in ECR yet, so no task is started
warning: OPENAI_API_KEY, ANTHROPIC_API_KEY: placeholders, with which requests to the providers fail
{URL}
next:
  gatestack image dev --push --tag v1.2.3     # build and push the image
  gatestack deploy dev                        # start the tasks
  gatestack secret set dev OPENAI_API_KEY     # set a provider's key
  gatestack secret set dev ANTHROPIC_API_KEY  # set a provider's key
  gatestack verify dev                        # check it end to end
""",
        NEW,
    ),
    "created on the sandbox": Screen(
        run(done("create", *STACKS)),
        f"""
dev: 5 stacks deployed in 19.5 s
{URL}
No container runs here: `gatestack local start --gateway --replace`, then deploy again, makes it answer.
next:
  gatestack verify dev  # check it end to end
""",
        Known(place=RUNS_NOTHING),
    ),
    "updated": Screen(
        run(done("none", *STACKS[:4]), done("update", "service")),
        f"""
dev: 1 stack deployed in 19.5 s
{URL}
next:
  gatestack verify dev  # check it end to end
""",
        NOTHING_ELSE,
    ),
    "no-op": Screen(run(done("none", *STACKS)), f"\ndev: nothing changes\n{URL}\n", NOTHING_ELSE),
    "consent refused": Screen(
        run(
            done("none", "security", "network", "alb"),
            (
                stack(
                    "database",
                    "update",
                    outcome="protected",
                    reason=f"{CONSENT}--allow-replace Database",
                    allow="--allow-replace Database",
                ),
            ),
            skipped("service", reason="nothing was changed, because database needs consent"),
            flags=("--only database",),
        ),
        f"""
dev: refused; nothing was changed
  database  needs consent
  not started: service
  unchanged: security, network, alb
next:
  gatestack deploy dev --only database --allow-replace Database  # allow it
  gatestack deploy dev --only database                           # or revert the change, then
error: database: {CONSENT}--allow-replace Database
""",
    ),
    "failed with its root cause": Screen(
        run(
            done("update", "security"),
            done("none", "network", "alb"),
            (failed("UPDATE_FAILED"),),
            skipped("service"),
        ),
        """
dev: not finished after 19.5 s; stacks: 1 deployed, 1 failed, 1 not started
  database  UPDATE_FAILED
  not started: service
  deployed: security
  unchanged: network, alb
next:
  gatestack deploy dev  # once the cause is fixed, resume
error: database: Database (AWS::RDS::DBInstance): no capacity here -> pick another class
""",
        NEW,
    ),
    "failed and rolled back": Screen(
        run(
            done("create", *STACKS[:3]),
            (failed("ROLLBACK_COMPLETE"),),
            skipped("service", reason=str(NO_CAPACITY)),
        ),
        """
dev: not finished after 19.5 s; stacks: 3 deployed, 1 failed, 1 not started
  database  ROLLBACK_COMPLETE
  not started: service
  deployed: security, network, alb
next:
  gatestack deploy dev  # once the cause is fixed, resume
error: database: Database (AWS::RDS::DBInstance): no capacity here -> pick another class
""",
    ),
    "partial, two causes": Screen(
        run(
            done("create", "security", "network"),
            (
                stack(
                    "alb",
                    "create",
                    outcome="failed",
                    status="ROLLBACK_COMPLETE",
                    reason="no such certificate",
                ),
            ),
            (failed("ROLLBACK_COMPLETE"),),
            skipped("service"),
            flags=("--on-failure stop",),
        ),
        """
dev: not finished after 19.5 s; stacks: 2 deployed, 2 failed, 1 not started
  alb  ROLLBACK_COMPLETE
  database  ROLLBACK_COMPLETE: Database (AWS::RDS::DBInstance): no capacity here -> pick another class
  not started: service
  deployed: security, network
next:
  gatestack deploy dev --on-failure stop  # once the cause is fixed, resume
error: alb: no such certificate
""",
    ),
    "interrupted once": Screen(
        run(done("create", "security", "network"), skipped("alb", "database", "service"), interrupted=True),
        """
dev: interrupted after 19.5 s; stacks: 2 deployed, 3 not started
  not started: alb, database, service
  deployed: security, network
next:
  gatestack deploy dev  # resume
""",
    ),
    "interrupted twice": Screen(
        run(
            done("create", "security"),
            (
                stack(
                    "network",
                    "create",
                    outcome="going-on",
                    status="CREATE_IN_PROGRESS",
                    reason="left by a signal",
                ),
            ),
            skipped("alb", "database", "service"),
            interrupted=True,
        ),
        """
dev: interrupted after 19.5 s; stacks: 1 deployed, 1 still in progress, 3 not started
  network  CREATE_IN_PROGRESS
  not started: alb, database, service
  deployed: security
next:
  gatestack watch dev   # attach to what AWS does
  gatestack deploy dev  # then resume
error: network: left by a signal
""",
    ),
    "lost sight": Screen(
        run(
            done("create", "security"),
            (stack("network", "create", outcome="going-on", status="CREATE_IN_PROGRESS", reason=EXPIRED),),
            skipped("alb", "database", "service", reason=EXPIRED),
        ),
        f"""
dev: AWS continues after 19.5 s; stacks: 1 deployed, 1 still in progress, 3 not started
  network  CREATE_IN_PROGRESS
  not started: alb, database, service
  deployed: security
next:
  gatestack watch dev   # attach to what AWS does
  gatestack deploy dev  # then resume
error: network: {EXPIRED}
""",
    ),
    "a plan that is used up": Screen(
        run(
            done("none", *STACKS[:3]),
            (failed("ROLLBACK_COMPLETE"),),
            skipped("service"),
            plan="p.json",
            flags=("--only database", "--on-failure stop"),
        ),
        """
dev: not finished after 19.5 s; stacks: 1 failed, 1 not started
  database  ROLLBACK_COMPLETE
  not started: service
  unchanged: security, network, alb
next:
  gatestack plan dev --save p.json --only database      # once the cause is fixed, plan again
  gatestack deploy dev --plan p.json --on-failure stop  # and deploy that
error: database: Database (AWS::RDS::DBInstance): no capacity here -> pick another class
""",
    ),
    "a plan that was interrupted": Screen(
        run(
            done("create", "security"),
            skipped("network"),
            plan="a plan",
            flags=("--only network", "--revert-drift", "--on-failure stop"),
            interrupted=True,
        ),
        """
dev: interrupted after 19.5 s; stacks: 1 deployed, 1 not started
  not started: network
  deployed: security
next:
  gatestack deploy dev --plan 'a plan' --on-failure stop  # resume
""",
    ),
    "destroyed, with what is kept": Screen(
        run(
            (
                stack(
                    "database",
                    "delete",
                    kept=(
                        Kept(
                            "Database",
                            "AWS::RDS::DBInstance",
                            "dev-db",
                            "arn:aws:rds:us-east-1:1:snapshot:s",
                            snapshot=True,
                            monthly_usd=1.9,
                        ),
                        Kept("Cache", "AWS::ElastiCache::ReplicationGroup", "dev-cache", snapshot=True),
                    ),
                ),
            ),
            goal="destroy",
            outputs=(),
        ),
        """
dev: 1 stack deleted in 19.5 s
kept: database: Database (final snapshot arn:aws:rds:us-east-1:1:snapshot:s)
kept: database: Cache (the final snapshot of AWS::ElastiCache::ReplicationGroup dev-cache)
kept: at most $1.90 a month until it is deleted, and by use: Cache
""",
    ),
    "made again after a failed creation, with what is kept of it": Screen(
        run(
            done("none", *STACKS[:3]),
            (
                stack(
                    "database",
                    "create",
                    status="CREATE_COMPLETE",
                    kept=(Kept("Database", "AWS::RDS::DBInstance", "dev-db", snapshot=True),),
                ),
            ),
            done("create", "service"),
            outputs=(),
        ),
        """
dev: 2 stacks deployed in 19.5 s
kept: database: Database (the final snapshot of AWS::RDS::DBInstance dev-db)
next:
  gatestack verify dev  # check it end to end
""",
    ),
    "nothing to destroy": Screen(run(done("none", *STACKS), goal="destroy"), "\ndev: nothing to delete\n"),
    "a destruction that failed": Screen(
        run(
            (stack("service", "delete", outcome="failed", status="DELETE_FAILED", reason="no permission"),),
            skipped(*STACKS[:4]),
            goal="destroy",
            flags=("--force",),
        ),
        """
dev: not finished after 19.5 s; stacks: 1 failed, 4 not started
  service  DELETE_FAILED
  not started: security, network, alb, database
next:
  gatestack destroy dev --force  # once the cause is fixed, resume
error: service: no permission
""",
    ),
    "a protected stack": Screen(
        run(
            (
                stack(
                    "service",
                    "delete",
                    outcome="protected",
                    reason="it has termination protection",
                    allow="--force",
                ),
            ),
            goal="destroy",
        ),
        """
dev: refused; nothing was changed
  service  needs consent
next:
  gatestack destroy dev --force  # allow it
error: service: it has termination protection
""",
    ),
    "watched to its end": Screen(
        run(done("none", "security", "network"), done("update", "alb"), goal="watch"),
        "\ndev: 1 stack succeeded in 19.5 s\n",
    ),
    "watched to a failure": Screen(
        run(done("none", "security", "network"), (failed("ROLLBACK_COMPLETE"),), goal="watch"),
        """
dev: not finished after 19.5 s; stacks: 1 failed
  database  ROLLBACK_COMPLETE
  unchanged: security, network
next:
  gatestack deploy dev  # once the cause is fixed, resume
error: database: Database (AWS::RDS::DBInstance): no capacity here -> pick another class
""",
    ),
}
"""By what happened."""
