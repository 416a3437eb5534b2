"""Values that only the account knows."""

import pytest

from deployer.errors import DeployError, Refused
from deployer.lookups import Value, allocated_storage, desired_count, engine_version

ECR = {"repository": "dev-litellm", "tag": "v1", "count": "3", "scaled": "false"}
SCALED = ECR | {"scaled": "true"}
PUBLIC = ECR | {"repository": ""}


def count(
    facts: dict[str, str], *, image: bool | None, previous: str | None, unchanged: bool = False
) -> Value:
    return desired_count(facts, environment="dev", image=image, previous=previous, unchanged=unchanged)


@pytest.mark.parametrize(
    ("facts", "image", "previous", "unchanged", "value"),
    [
        (ECR, True, None, False, "3"),
        (ECR, False, None, False, "0"),
        (ECR, None, None, False, "0"),
        (PUBLIC, None, None, False, "3"),
        (ECR, True, "0", True, "3"),
        (ECR, False, "0", True, "0"),
        (ECR, None, "0", True, "0"),
        (ECR, True, "2", False, "3"),
        (ECR, None, "3", True, "3"),
        (PUBLIC, None, "3", True, "3"),
        (SCALED, True, "0", True, "3"),
        (SCALED, True, "3", True, "3"),
        (SCALED, True, "3", False, ""),
        (SCALED, True, "", True, ""),
        (SCALED, True, "", False, ""),
    ],
)
def test_the_desired_count_follows_image_history_and_scaling(
    facts: dict[str, str], *, image: bool | None, previous: str | None, unchanged: bool, value: str
) -> None:
    assert count(facts, image=image, previous=previous, unchanged=unchanged).text == value


def test_a_service_without_tasks_says_what_to_push_and_what_to_run_next() -> None:
    assert count(ECR, image=False, previous=None).notice == (
        "the image dev-litellm:v1 is not in ECR yet, so no task is started: "
        "`gatestack image dev --push --tag v1` builds and pushes it, then `gatestack deploy dev` again"
    )
    assert "cannot be looked up at this endpoint" in count(ECR, image=None, previous=None).notice
    put = desired_count(
        ECR, environment="dev", image=False, previous=None, unchanged=False, push="provide image {image}"
    )
    assert "`provide image dev-litellm:v1` puts it there, then `gatestack deploy dev` again" in put.notice


@pytest.mark.parametrize("previous", ["2", ""])
def test_running_tasks_are_not_sent_after_an_image_that_is_missing(previous: str) -> None:
    with pytest.raises(
        DeployError, match=r"dev-litellm:v1 is not in ECR and tasks are running: push it first"
    ):
        count(SCALED, image=False, previous=previous)


POSTGRES = {"engine": "postgres", "version": "16.4", "identifier": "dev-litellm"}


@pytest.mark.parametrize(
    ("live", "value"),
    [
        (None, "16.4"),
        ("16.2", "16.4"),
        ("16.4", "16.4"),
        ("16.10", "16.10"),
        ("15.9", "16.4"),
    ],
)
def test_a_live_engine_of_the_same_major_is_never_gone_below(live: str | None, value: str) -> None:
    assert engine_version(POSTGRES, live=live, offered=None, new=False).text == value


def test_a_live_engine_of_a_later_major_is_refused_with_the_key_to_change() -> None:
    with pytest.raises(
        Refused, match=r'^database\.engine_version: 16\.4, and dev-litellm runs .*; set "17"$'
    ):
        engine_version(POSTGRES, live="17.1", offered=None, new=False)


DISK = {"identifier": "dev-db", "size": "20", "most": "100", "snapshot": "before"}


@pytest.mark.parametrize(
    ("live", "snapshot", "value"),
    [
        (None, None, "20"),
        (20, None, "20"),
        (19, None, "20"),
        (30, None, "30"),
        (100, None, "100"),
        (None, 50, "50"),
        (30, 50, "50"),
        (50, 30, "50"),
    ],
)
def test_a_disk_is_never_smaller_than_it_is(live: int | None, snapshot: int | None, value: str) -> None:
    found = allocated_storage(DISK, live=live, snapshot=snapshot)

    assert (found.text, bool(found.notice)) == (value, int(value) > 20)


@pytest.mark.parametrize(
    ("live", "snapshot", "who"), [(101, None, "dev-db"), (None, 101, "the snapshot before")]
)
def test_a_bound_below_what_the_disk_has_is_refused(live: int | None, snapshot: int | None, who: str) -> None:
    with pytest.raises(Refused, match=rf"max_storage_gb: 100 GB, and {who} has 101 GB: .* set 112 or more"):
        allocated_storage(DISK, live=live, snapshot=snapshot)


@pytest.mark.parametrize(
    ("offered", "value"),
    [
        (None, "16.4"),
        ((), "16.4"),
        (("16.4", "16.8"), "16.4"),
        (("16.3", "16.8", "16.10", "17.2"), "16.10"),
        (("15.1", "17.2"), "16.4"),
    ],
)
def test_a_new_database_gets_a_version_that_is_offered(offered: tuple[str, ...] | None, value: str) -> None:
    assert engine_version(POSTGRES, live=None, offered=offered, new=True).text == value


def test_another_version_than_the_settings_say_is_announced() -> None:
    newest = engine_version(POSTGRES, live=None, offered=("16.8",), new=True)
    assert newest == Value("16.8", "postgres 16.4 is not offered in this region: 16.8 is used")
    stays = engine_version(POSTGRES, live="16.8", offered=None, new=False)
    assert stays == Value("16.8", "postgres 16.8 runs already, the settings say 16.4: 16.8 stays")
