"""What becomes of a trace changes nothing of the run that it tells of."""

from __future__ import annotations

from typing import Any

import pytest

from deployer.progress import Result, StackResult
from gatestack.environment import Environment
from gatestack.tracing.told import traced
from tests.gatestack.tracing.collector import Collector, attributes
from tests.serving import serving

DEV = Environment("dev", "us-east-1", False, {}, "litellm", None, None)  # noqa: FBT003 - a field


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Collector()
    with serving(made) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        yield made


def test_a_trace_that_cannot_be_made_is_a_warning(
    collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    nonsense: Any = object()

    with traced(DEV, "deploy") as run:
        assert run.ended(nonsense) is nonsense

    assert "no trace was sent: AttributeError while it was made" in capsys.readouterr().err
    assert collector.got == []


def test_an_exception_goes_its_way_after_its_trace(collector: Collector) -> None:
    with pytest.raises(OSError, match="disk"), traced(DEV, "destroy"):
        raise OSError("disk")

    (root,) = collector.spans
    assert (root["name"], root["status"]) == ("gatestack destroy", {"code": 2, "message": "disk"})
    assert "parentSpanId" not in root


def test_an_interrupted_run_says_so(collector: Collector) -> None:
    left = StackResult("alb", "dev-alb", "update", "going-on", "UPDATE_IN_PROGRESS", 5.0)

    with traced(DEV, "deploy") as run:
        run.ended(Result("dev", "deploy", (left,), interrupted=True))

    (root,) = collector.spans
    assert root["status"]["message"] == "interrupted"
    assert attributes(root)["process.exit.code"] == "130"


def test_who_wants_the_process_to_end_at_once_waits_for_no_trace(collector: Collector) -> None:
    with pytest.raises(KeyboardInterrupt), traced(DEV, "deploy"):
        raise KeyboardInterrupt

    assert collector.got == []
