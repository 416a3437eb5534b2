"""Help texts: commands by purpose, examples, and what options are for. Data; imported with every command."""

from __future__ import annotations

from collections.abc import Mapping

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Start": ("setup", "init", "schema", "docs", "local"),
    "See": (
        "show",
        "graph",
        "cost",
        "lint",
        "policy",
        "preflight",
        "status",
        "outputs",
        "events",
        "watch",
        "drift",
        "verify",
    ),
    "Deploy": ("plan", "deploy", "destroy", "generate"),
    "Run": ("image", "rollout", "rotate", "config", "secret"),
    "Pipelines": ("bootstrap",),
}
"""Heading -> commands, in the order in which users need them."""

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "": (
        "gatestack deploy local  # on the sandbox, without an AWS account",
        "gatestack setup         # an environment file of your own",
        "gatestack plan dev      # what a deployment would change",
        "gatestack deploy dev    # shows the plan, asks, deploys",
    ),
    "bootstrap": (
        "gatestack bootstrap prod --print-template  # for a review",
        "gatestack bootstrap prod",
    ),
    "config": (
        "gatestack config list dev",
        "gatestack config set dev log-level DEBUG",
    ),
    "cost": (
        "gatestack cost prod",
        "gatestack cost prod --live --format json",
    ),
    "deploy": (
        "gatestack deploy dev                            # shows the plan and asks",
        "gatestack deploy dev --yes                      # in a pipeline: asks nothing",
        "gatestack deploy dev --plan dev.plan            # exactly what was reviewed",
        "gatestack deploy dev --only alb --only service  # two stacks",
        "gatestack deploy prod --sandbox                 # a rehearsal",
    ),
    "destroy": (
        "gatestack destroy dev           # lists what is kept, then asks",
        "gatestack destroy prod --force  # production",
    ),
    "docs": ("gatestack docs", "gatestack docs operations"),
    "drift": (
        "gatestack drift prod",
        "gatestack drift prod --stack network",
    ),
    "events": (
        "gatestack events dev --stack database",
        "gatestack events dev --follow --since 30m",
        "gatestack events dev --format html > run.html",
    ),
    "generate": (
        "gatestack generate dev               # writes build/dev",
        "gatestack generate dev --out review  # then: gatestack deploy review",
    ),
    "graph": (
        "gatestack graph dev",
        "gatestack graph dev --format mermaid",
    ),
    "image": (
        "gatestack image dev         # build it",
        "gatestack image dev --push  # and push it to dev's repository",
    ),
    "init": (
        "gatestack init gateway",
        "gatestack init gateway --pipelines azure",
    ),
    "lint": (
        "gatestack lint dev",
        "gatestack lint dev --only network",
        "gatestack lint dev --format sarif > lint.sarif  # for code scanning",
    ),
    "local": (
        "gatestack local start                   # as deploy local does",
        "gatestack local fail database Database  # fails next time",
        'eval "$(gatestack local env)"           # aws on the sandbox',
    ),
    "outputs": (
        "gatestack outputs dev",
        "gatestack outputs dev --format json",
    ),
    "plan": (
        "gatestack plan dev",
        "gatestack plan dev --save dev.plan              # for deploy --plan",
        "gatestack plan dev --format markdown            # for a pull request",
        "gatestack plan dev --drift --detailed-exitcode  # 3 when there are changes",
    ),
    "policy": (
        "gatestack policy dev                              # deployment.policy",
        "gatestack policy dev --format junit > policy.xml  # for a pipeline",
    ),
    "preflight": (
        "gatestack preflight prod",
        "gatestack preflight prod --format json",
    ),
    "rollout": (
        "gatestack rollout dev                     # new tasks of the same image",
        "gatestack rollout dev --image-tag v1.2.3  # the image alone",
    ),
    "rotate": (
        "gatestack rotate dev database",
        "gatestack rotate dev master-key",
    ),
    "schema": (
        "gatestack schema > environment.schema.json",
        "gatestack schema --of plan > plan.schema.json",
    ),
    "secret": (
        "gatestack secret list dev",
        "gatestack secret set dev OPENAI_API_KEY               # asks for the value",
        "gatestack secret get dev LITELLM_MASTER_KEY --reveal",
    ),
    "setup": (
        "gatestack setup",
        "gatestack setup --yes --environment dev --providers openai",
    ),
    "show": (
        "gatestack show dev",
        "gatestack show dev --origin",
    ),
    "status": (
        "gatestack status dev",
        "gatestack status dev --format json",
    ),
    "verify": (
        "gatestack verify dev",
        "gatestack verify dev --format json",
    ),
    "watch": ("gatestack watch dev",),
}
"""Command -> examples, without one those of gatestack itself; each of them is run, or parsed, by a test."""

WHAT, CONSENT, TROUBLE, OUTPUT = "What is deployed", "Consent", "After a failure", "Output"
OPTIONS: Mapping[str, str] = {
    "only": WHAT,
    "path": WHAT,
    "fresh": WHAT,
    "tag": WHAT,
    "all_changes": WHAT,
    "yes": CONSENT,
    "force": CONSENT,
    "allow_replace": CONSENT,
    "migrate_exports": CONSENT,
    "revert_drift": CONSENT,
    "on_failure": TROUBLE,
    "skip_in_rollback": TROUBLE,
    "style": OUTPUT,
    "detailed_exitcode": OUTPUT,
    "drift": OUTPUT,
}
"""Parameter -> its purpose, in commands with enough options to group them."""
