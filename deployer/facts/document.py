"""The facts of a plan as versioned JSON, described by `plan.schema.json`. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

from deployer.facts.interruptions import Effect
from deployer.facts.summary import ChangeFact, Interruption, PlanFacts, PropertyFact, Risk, StackFacts
from deployer.facts.uploads import FileChange
from deployer.plan import PlanCost

VERSION = 1
"""Of the document's shape: keys are added within a version, never removed or changed."""


def plan_json(facts: PlanFacts) -> str:
    """Return *facts* as JSON; both figures of the cost are null without an estimate."""
    return json.dumps(
        {
            "version": VERSION,
            "environment": facts.environment,
            "data_at_risk": [_risk(one) for one in facts.risks],
            "consent": facts.consent or None,
            "expected_seconds": round(facts.seconds),
            "interruptions": [_interruption(one) for one in facts.interruptions],
            "stacks": [_stack(one) for one in facts.stacks],
            "cost": _cost(facts.cost),
            "permissions": [asdict(one) for one in facts.permissions],
            "files": [_file(one) for one in facts.files],
            "notices": list(facts.notices),
        },
        indent=2,
    )


@cache
def schema() -> str:
    """Return the JSON Schema (draft 2020-12) of what `plan_json` returns."""
    return (resources.files("deployer.facts") / "plan.schema.json").read_text(encoding="utf-8")


def _risk(one: Risk) -> dict[str, Any]:
    fact = one.fact
    return {
        "stack": fact.stack,
        "logical_id": fact.change.logical_id,
        "type": fact.change.type,
        "what": fact.word,
        "because": list(fact.because),
        "fate": fact.fate or None,
        "consent": one.consent,
        "flag": one.flag,
    }


def _interruption(one: Interruption) -> dict[str, Any]:
    return {
        **_effect(one.effect),
        "resources": [{"stack": stack, "logical_id": name} for stack, name in one.resources],
        "properties": list(one.properties),
    }


def _effect(one: Effect) -> dict[str, str]:
    return {"level": one.level, "words": one.words}


def _stack(one: StackFacts) -> dict[str, Any]:
    return {
        "name": one.plan.name,
        "stack_name": one.plan.stack_name,
        "action": one.plan.action,
        "exact": one.plan.exact,
        "reason": one.plan.reason,
        "problems": list(one.plan.problems),
        "expected_seconds": round(one.plan.seconds),
        "what": "resources" if one.changes else one.what,
        "changes": [_change(fact) for fact in one.changes],
    }


def _change(fact: ChangeFact) -> dict[str, Any]:
    change = fact.change
    return {
        "action": change.action,
        "logical_id": change.logical_id,
        "type": change.type,
        "replacement": change.replacement,
        "stateful": change.stateful,
        **({"patched": change.patched} if change.patched else {}),
        "what": fact.word,
        "fate": fact.fate or None,
        "interruption": _effect(fact.effect),
        "properties": [_property(one) for one in fact.properties],
    }


def _property(one: PropertyFact) -> dict[str, Any]:
    return {
        "name": one.name,
        "before": one.before,
        "after": one.after,
        "recreation": one.recreation or None,
        "cause": one.cause or None,
        "interruption": _effect(one.effect),
        "differences": [asdict(each) for each in one.differences],
    }


def _file(one: FileChange) -> dict[str, Any]:
    return {
        "stack": one.stack,
        "file": one.file,
        "diff": list(one.diff),
        "problem": one.problem or None,
    }


def _cost(cost: PlanCost | None) -> dict[str, Any]:
    if cost is None:
        return {"monthly_usd_before": None, "monthly_usd_after": None}
    differences = [asdict(one) for one in cost.differences]
    return {"monthly_usd_before": cost.before, "monthly_usd_after": cost.after, "differences": differences}
