"""Questions of `setup` about size, database and models, which decide the cost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gatestack.setup.draft import Answers
from gatestack.setup.question import Question, always, as_list, usual
from stacks.checking.limits import ENVIRONMENT, PROVIDER_KEYS
from stacks.systems import application

MODEL_LIST: Final = "service.config.model_list"
MEMORY_MB_A_UNIT: Final = 2
"""Fargate takes twice as many MB as CPU units with every CPU size."""
YES_OR_NO: Final = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


def _whole(_: Answers, text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise ValueError(f"{text!r} is not a whole number")


def _yes_or_no(_: Answers, text: str) -> bool:
    if text.lower() in YES_OR_NO:
        return YES_OR_NO[text.lower()]
    raise ValueError(f"{text!r} is neither yes nor no")


def _capacity(_: Answers, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number like 0.5 or 4") from None


def _memory(answers: Answers) -> Mapping[str, Any]:
    cpu = answers["service.cpu"]
    return {} if cpu == usual(answers, "service", "cpu") else {"service.memory_mb": cpu * MEMORY_MB_A_UNIT}


def _most(answers: Answers) -> Mapping[str, Any]:
    """Return the most tasks if the least are more than its default: scaling needs room."""
    least = answers["service.min_tasks"]
    return {"service.max_tasks": 2 * least} if least > usual(answers, "service", "max_tasks") else {}


def _usual(section: str, key: str) -> Callable[[Answers], str]:
    def default(answers: Answers) -> str:
        value = usual(answers, section, key)
        return ("no", "yes")[value] if isinstance(value, bool) else str(value)

    return default


def _is_aurora(answers: Answers) -> bool:
    return bool(usual(answers, "database", "engine") != "postgres")


def _takes_models(answers: Answers) -> bool:
    """Whether the system has LiteLLM's file, and no model in it yet."""
    return not usual(answers, "service", "config").get("model_list")


def _models(answers: Answers, text: str) -> list[dict[str, Any]]:
    """Return models as LiteLLM's file has them: clients call each by the part after its last slash."""
    names = as_list(answers, text)
    return [{"model_name": name.rpartition("/")[2], "litellm_params": _access(name)} for name in names]


def _access(name: str) -> dict[str, str]:
    key = PROVIDER_KEYS.get(name.partition("/")[0])
    return {"model": name} | ({"api_key": f"{ENVIRONMENT}{key}"} if key else {})


def _example(answers: Answers) -> str:
    chosen = answers.get("service.providers") or application(answers["system"]).providers
    known = {"openai": "openai/gpt-4o-mini", "anthropic": "anthropic/claude-sonnet-4-5"}
    examples = [known[name] for name in chosen if name in known]
    return f" ({', '.join(examples)})" if examples else " (provider/model)"


MODELS = Question(
    "models",
    MODEL_LIST,
    "Models that clients may call, with commas; empty: none yet",
    always(""),
    asked=_takes_models,
    adds=_example,
    value=_models,
    assumed=True,
)
SIZES = (
    Question(
        "instance-class",
        "database.instance_class",
        "Instance class of the database",
        _usual("database", "instance_class"),
        asked=lambda answers: not _is_aurora(answers),
        assumed=True,
        weighed=True,
    ),
    Question(
        "max-acu",
        "database.max_acu",
        "Aurora's greatest capacity, in units of 2 GiB",
        _usual("database", "max_acu"),
        asked=_is_aurora,
        value=_capacity,
        assumed=True,
        weighed=True,
    ),
    Question(
        "cpu",
        "service.cpu",
        "CPU units of each task, 1024 to a vCPU (MB of memory: twice as many)",
        _usual("service", "cpu"),
        value=_whole,
        implies=_memory,
        assumed=True,
        weighed=True,
    ),
    Question(
        "min-tasks",
        "service.min_tasks",
        "Tasks that always run",
        _usual("service", "min_tasks"),
        value=_whole,
        implies=_most,
        assumed=True,
        weighed=True,
    ),
    Question(
        "spot",
        "service.spot",
        "Spot: tasks about 70 % cheaper, and AWS may take one away (yes, no)",
        _usual("service", "spot"),
        value=_yes_or_no,
        assumed=True,
        weighed=True,
    ),
)
"""Asked last: each is checked with all answers before it."""
