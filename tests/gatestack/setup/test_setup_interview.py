"""`setup` at a real terminal: back to any answer, what it costs before it is written, sizes by question."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from gatestack.setup.question import Question
from gatestack.setup.questions import QUESTIONS
from gatestack.setup.sizes import SIZES
from stacks.environment import defaults, load
from tests.command import User
from tests.gatestack.terminal import Terminal

COST = re.compile(r"about \$([\d,]+) a month; `gatestack cost` says what for")
FILE = "Write this to environments/{}.yaml? (y, n, <) [y]:"


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User.at(tmp_path)


def at(terminal: Terminal, steps: Iterator[tuple[str, str]]) -> None:
    """Type each answer when its question stands there, after all that was written before."""
    seen = 0
    for words, typed in steps:
        terminal.until(lambda written, words=words, seen=seen: words in written[seen:])  # type: ignore[misc]
        seen = terminal.written.index(words, seen) + len(words)
        terminal.type(f"{typed}\n")


def interviewed(user: User, steps: list[tuple[str, str]]) -> tuple[int, str]:
    command = [sys.executable, "-m", "gatestack", "setup"]
    with Terminal(command, user.folder, user.environment, 200) as terminal:
        at(terminal, iter(steps))
        code = terminal.end()
    return code, terminal.written


DEFAULTS = [
    ("[http]:", ""),
    ("[openai,anthropic]:", ""),
    ("Models that clients may call", ""),
    ("[ecr]:", ""),
    ("E-mail address", ""),
    ("Existing VPC id", ""),
    ("NAT gateways", ""),
    ("[db.t3.micro]:", ""),
    ("[512]:", ""),
]


def test_every_answer_can_be_gone_back_to_and_the_cost_follows(user: User) -> None:
    steps = [
        ("System:", "<"),  # at the first question it stays there
        ("System:", ""),
        ("Name of the environment", "wrong"),
        ("Tier:", "<"),
        ("Name of the environment", "stage"),
        ("Tier:", ""),
        ("AWS region", "eu-wst-1"),
        ("did you mean eu-west-1?", "eu-west-1"),
        ("AWS account", "1234"),
        ("1234 has 4 digits, and an AWS account has 12", '"123456789012"'),
        *DEFAULTS,
        ("Tasks that always run [1]:", ""),
        ("[yes]:", ""),
        (FILE.format("stage"), "<"),
        ("Spot:", "<"),
        ("Tasks that always run [1]:", "3"),
        ("Spot:", "no"),
        (FILE.format("stage"), "what"),
        ("is not one of", "y"),
    ]
    code, written = interviewed(user, steps)

    assert code == 0, written
    assert "Enter takes what is in brackets; < goes back to the question before." in written
    first, second = (int(cost.replace(",", "")) for cost in COST.findall(written))
    assert second > first > 50
    settings = load(user.folder / "environments" / "stage.yaml")
    assert (settings.region, settings.account) == ("eu-west-1", "123456789012")
    assert (settings.service.min_tasks, settings.service.desired_count, settings.service.spot) == (
        3,
        3,
        False,
    )
    assert not (user.folder / "environments" / "wrong.yaml").exists()


def test_every_size_has_an_option_that_is_judged_with_the_others(user: User) -> None:
    done = user.run("setup", "--yes", "--environment", "big", "--cpu", "2048", "--min-tasks", "9")
    assert "Error: --min-tasks: service.max_tasks: 18 tasks (max_tasks)" in done.err
    more = ("--instance-class", "db.t3.large", "--spot", "no", "--models", "openai/gpt-4o-mini")
    done = user.run("setup", "--yes", "--environment", "big", "--cpu", "2048", "--min-tasks", "9", *more)
    assert done.code == 0, done.err
    settings = load(user.folder / "environments" / "big.yaml")
    service = settings.service
    assert (service.cpu, service.memory_mb, service.min_tasks, service.max_tasks) == (2048, 4096, 9, 18)
    assert settings.database.instance_class == "db.t3.large"
    access = {"model": "openai/gpt-4o-mini", "api_key": "os.environ/OPENAI_API_KEY"}
    assert service.config["model_list"] == [{"model_name": "gpt-4o-mini", "litellm_params": access}]


def test_aurora_is_asked_for_its_capacity_and_a_system_without_a_database_for_none(user: User) -> None:
    both = ("setup", "--yes", "--system", "llm-proxy", "--environment", "eu")
    done = user.run(*both, "--max-acu", "many")
    assert "--max-acu: 'many' is not a number like 0.5 or 4" in done.err
    assert user.run(*both, "--max-acu", "8").code == 0
    assert load(user.folder / "environments" / "llm-proxy-eu.yaml").database.max_acu == 8
    done = user.run("setup", "--yes", "--system", "llm-testing", "--environment", "eu", "--max-acu", "8")
    assert "--max-acu: does not apply with the other answers" in done.err
    done = user.run(
        "setup", "--yes", "--system", "litellm-benchmark", "--environment", "b", "--models", "a/b"
    )
    assert "--models: does not apply with the other answers" in done.err


@pytest.mark.parametrize("question", SIZES, ids=lambda question: question.name)
@pytest.mark.parametrize("system", ["litellm", "litellm-benchmark", "llm-proxy", "llm-testing"])
def test_the_default_of_a_size_changes_nothing(system: str, question: Question) -> None:
    answers: Mapping[str, object] = {"system": system, "environment": "dev", "tier": "dev"}
    if not question.concerns(answers):
        return
    found = question.answered(answers, question.default(answers) or "")
    for key, value in found.items():
        *above, last = key.split(".")
        if above:
            assert defaults(system, "dev")[above[0]][last] == value


def test_no_question_is_asked_twice() -> None:
    assert len({one.name for one in QUESTIONS}) == len({one.key for one in QUESTIONS}) == len(QUESTIONS)
