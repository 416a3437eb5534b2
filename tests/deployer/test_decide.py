"""The pure decision: every status, every branch, and what holds whatever is seen."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deployer.actions import (
    Action,
    Compare,
    ContinueRollback,
    CreateChangeSet,
    DeleteChangeSet,
    DeleteStack,
    Done,
    Execute,
    Fail,
    Inspect,
    Protect,
    RollBack,
    Wait,
)
from deployer.decide import decide, owned
from deployer.observed import Desired, History, Observed
from deployer.progress import Goal
from deployer.states import Change, ChangeSetState, StackState
from deployer.statuses import STATUSES, Step, row
from tests.deployer.fakes import NO_CHANGES, OURS

WANTED = Desired("dev-a", OURS)


def stack(status: str = "CREATE_COMPLETE", **more: Any) -> StackState:
    return StackState("dev-a", "stack-id", status, **{"tags": OURS, **more})


def change_set(status: str = "CREATE_COMPLETE", execution: str = "AVAILABLE", **more: Any) -> ChangeSetState:
    return ChangeSetState("gatestack-1", "change-set-id", "stack-id", status, execution, **more)


def deploy(observed: Observed, desired: Desired = WANTED) -> Action:
    return decide("deploy", desired, observed)


def destroy(observed: Observed, desired: Desired = WANTED) -> Action:
    return decide("destroy", desired, observed)


FIRST_STEP: dict[str | None, tuple[type, type]] = {
    None: (CreateChangeSet, Done),
    "CREATE_IN_PROGRESS": (Wait, DeleteStack),
    "CREATE_FAILED": (Inspect, DeleteStack),
    "CREATE_COMPLETE": (CreateChangeSet, DeleteStack),
    "ROLLBACK_IN_PROGRESS": (Wait, Wait),
    "ROLLBACK_FAILED": (Inspect, DeleteStack),
    "ROLLBACK_COMPLETE": (Inspect, DeleteStack),
    "DELETE_IN_PROGRESS": (Wait, Wait),
    "DELETE_FAILED": (Inspect, DeleteStack),
    "DELETE_COMPLETE": (CreateChangeSet, Done),
    "UPDATE_IN_PROGRESS": (Wait, Wait),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": (Wait, Wait),
    "UPDATE_COMPLETE": (CreateChangeSet, DeleteStack),
    "UPDATE_FAILED": (RollBack, DeleteStack),
    "UPDATE_ROLLBACK_IN_PROGRESS": (Wait, Wait),
    "UPDATE_ROLLBACK_FAILED": (ContinueRollback, ContinueRollback),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": (Wait, Wait),
    "UPDATE_ROLLBACK_COMPLETE": (CreateChangeSet, DeleteStack),
    "REVIEW_IN_PROGRESS": (CreateChangeSet, DeleteStack),
    "IMPORT_IN_PROGRESS": (Wait, Wait),
    "IMPORT_COMPLETE": (CreateChangeSet, DeleteStack),
    "IMPORT_ROLLBACK_IN_PROGRESS": (Wait, Wait),
    "IMPORT_ROLLBACK_FAILED": (CreateChangeSet, DeleteStack),
    "IMPORT_ROLLBACK_COMPLETE": (CreateChangeSet, DeleteStack),
}


def test_the_table_has_all_23_statuses_of_the_api() -> None:
    assert len(STATUSES) == 23
    assert STATUSES.keys() == FIRST_STEP.keys() - {None}


@pytest.mark.parametrize("status", FIRST_STEP, ids=str)
def test_every_status_has_its_first_step(status: str | None) -> None:
    observed = Observed(stack(status) if status else None)

    assert (type(deploy(observed)), type(destroy(observed))) == FIRST_STEP[status]


@pytest.mark.parametrize("status", [status for status in FIRST_STEP if status], ids=str)
def test_a_stack_of_somebody_else_is_never_deleted_nor_rolled_back(status: str) -> None:
    foreign = Observed(stack(status, tags={}), data=(), foreign=("theirs",))

    for action in (deploy(foreign), destroy(foreign)):
        assert not isinstance(action, (DeleteStack, RollBack, ContinueRollback, Protect))


def test_a_status_that_nobody_knows_yet_is_left_alone() -> None:
    assert deploy(Observed(stack("PONDERING_IN_PROGRESS"))) == Wait(row("PONDERING_IN_PROGRESS").text)
    for action in (deploy(Observed(stack("PONDERED"))), destroy(Observed(stack("PONDERED")))):
        assert isinstance(action, Fail)
        assert "PONDERED is unknown to this version of gatestack" in action.reason


# change sets


@pytest.mark.parametrize(
    ("one", "more", "action"),
    [
        (change_set("CREATE_PENDING", "UNAVAILABLE"), {}, Wait),
        (change_set("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS"), {}, Wait),
        (change_set("FAILED", "UNAVAILABLE", reason=NO_CHANGES), {}, DeleteChangeSet),
        (change_set("FAILED", "UNAVAILABLE", reason="No updates are to be performed."), {}, DeleteChangeSet),
        (change_set("FAILED", "UNAVAILABLE", reason="bad"), {}, Fail),
        (change_set("FAILED", "UNAVAILABLE", reason="bad"), {"hold": "barrier"}, Fail),
        (change_set("FAILED", "UNAVAILABLE", reason="bad"), {"early": True}, DeleteChangeSet),
        (change_set(execution="OBSOLETE"), {}, DeleteChangeSet),
        (change_set(), {"outdated": True}, DeleteChangeSet),
        (change_set(), {"hold": "waits for b"}, Wait),
        (change_set(reason="[WARN] incomplete"), {}, Execute),
    ],
)
def test_what_becomes_of_a_change_set(one: ChangeSetState, more: dict[str, Any], action: type) -> None:
    assert isinstance(deploy(Observed(stack(), one, **more)), action)


def test_a_change_set_without_listed_changes_is_executed() -> None:
    assert deploy(Observed(stack(), change_set())) == Execute(
        "change-set-id", "UPDATE", "0 resources to change"
    )


def test_an_empty_change_set_is_removed_and_that_is_all() -> None:
    assert deploy(
        Observed(stack(), change_set("FAILED", "UNAVAILABLE", reason=NO_CHANGES))
    ) == DeleteChangeSet("change-set-id", "nothing to change", empty=True)
    assert deploy(Observed(stack(), history=History(empty=True))) == Done("none", "nothing to change")


def test_a_new_stack_waits_for_what_it_needs_but_an_update_is_prepared() -> None:
    assert deploy(Observed(None, hold="waits for b")) == Wait("waits for b", on="others")
    assert isinstance(deploy(Observed(stack(), hold="waits for b")), CreateChangeSet)
    early = Observed(stack(), hold="waits for b", early=True, history=History(premature=True))
    assert deploy(early) == Wait("waits for b", on="others")


def test_change_sets_that_keep_going_out_of_date_end_the_run() -> None:
    action = deploy(Observed(stack(), history=History(change_sets=4)))

    assert isinstance(action, Fail)
    assert "somebody else is deploying" in action.reason


def test_a_change_set_that_nobody_has_compared_is_compared_before_anything_else() -> None:
    for hold in ("", "waits for b"):
        action = deploy(Observed(stack(), change_set(), compared=False, hold=hold))
        assert action == Compare("change-set-id", "is it what was requested?")


def test_after_what_was_kept_is_taken_up_the_rest_is_made_and_that_is_a_creation() -> None:
    taken = Observed(stack("IMPORT_COMPLETE"), history=History(executed="one", kind="IMPORT"))
    assert deploy(taken) == CreateChangeSet("UPDATE", "what was kept is imported, the rest is created")

    made = History(executed="two", kind="UPDATE", imported=True)
    assert deploy(Observed(stack("UPDATE_COMPLETE"), history=made)) == Done("create", "updated")


def test_a_rollback_that_cannot_go_on_names_where_and_the_command_that_leaves_it_out() -> None:
    failed = Observed(stack("UPDATE_ROLLBACK_FAILED"), history=History(continues=2))
    named = replace(WANTED, env="dev", flags=("--only a", "--fresh"))

    assert isinstance(deploy(failed, named), Inspect)
    assert isinstance(deploy(replace(failed, stuck=()), named), Fail)
    told = deploy(replace(failed, stuck=("Service",)), named)
    assert isinstance(told, Fail)
    assert (
        told.outcome,
        "`gatestack deploy dev --only a --fresh --skip-in-rollback Service`" in told.reason,
    ) == (
        "protected",
        True,
    )
    allowed = replace(named, skip_in_rollback=frozenset({"Service", "Other"}))
    action = deploy(replace(failed, stuck=("Service",)), allowed)
    assert isinstance(action, ContinueRollback)
    assert action.skip == ("Service",)


# stateful resources

DATABASE = Change("Modify", "Database", "AWS::RDS::DBInstance", replacement="True")


@pytest.mark.parametrize(
    "change",
    [
        DATABASE,
        replace(DATABASE, replacement="Conditional"),
        Change("Remove", "Database", "AWS::RDS::DBInstance"),
    ],
)
def test_losing_a_stateful_resource_needs_its_name(change: Change) -> None:
    observed = Observed(stack(), change_set(changes=(change,)))

    refused = deploy(observed)
    assert isinstance(refused, Fail)
    assert refused.outcome == "protected"
    assert refused.reason.endswith("which holds data; to allow it: --allow-replace Database")
    allowed = replace(WANTED, allow_replace=frozenset({"Database"}))
    assert isinstance(deploy(observed, allowed), Execute)


@pytest.mark.parametrize(
    "change",
    [
        replace(DATABASE, replacement="False"),
        Change("Add", "Database", "AWS::RDS::DBInstance"),
        Change("Remove", "Topic", "AWS::SNS::Topic"),
    ],
)
def test_other_changes_need_no_consent(change: Change) -> None:
    assert isinstance(deploy(Observed(stack(), change_set(changes=(change,)))), Execute)


def test_a_stack_of_somebody_else_is_updated_only_while_nothing_in_it_goes() -> None:
    foreign = stack(tags={"team": "other"})
    added, removed = Change("Add", "T", "AWS::SNS::Topic"), Change("Remove", "T", "AWS::SNS::Topic")

    assert isinstance(deploy(Observed(foreign, change_set(changes=(added,)))), Execute)
    refused = deploy(Observed(foreign, change_set(changes=(removed,))))
    assert isinstance(refused, Fail)
    assert (refused.outcome, "gatestack did not create it" in refused.reason) == ("protected", True)


# outcomes

EXECUTED = History(executed="change-set-id", kind="UPDATE", change_sets=1)


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("UPDATE_COMPLETE", Done),
        ("UPDATE_IN_PROGRESS", Wait),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Wait),
        ("UPDATE_ROLLBACK_COMPLETE", Fail),
        ("UPDATE_ROLLBACK_FAILED", Fail),
        ("REVIEW_IN_PROGRESS", Wait),
        ("DELETE_COMPLETE", Fail),
    ],
)
def test_what_was_executed_is_judged_by_the_stack(status: str, action: type) -> None:
    assert isinstance(deploy(Observed(stack(status), change_set(), history=EXECUTED)), action)


def test_what_is_seen_from_before_the_execution_proves_nothing() -> None:
    stale = Observed(stack("UPDATE_COMPLETE"), change_set(), fresh=False, history=EXECUTED)

    assert deploy(stale) == Wait("AWS does not show the start yet")
    assert deploy(Observed(None, history=EXECUTED)) == Wait("AWS does not show the start yet")


@pytest.mark.parametrize(
    ("history", "verb"),
    [
        (EXECUTED, "update"),
        (replace(EXECUTED, kind="CREATE"), "create"),
        (replace(EXECUTED, kind="CREATE", deletes=1), "recreate"),
    ],
)
def test_the_verb_says_what_was_done(history: History, verb: str) -> None:
    action = deploy(Observed(stack("CREATE_COMPLETE"), history=history))

    assert isinstance(action, Done)
    assert action.verb == verb


def test_termination_protection_is_set_once_the_stack_is_there() -> None:
    wanted = replace(WANTED, termination_protection=True)

    for history in (EXECUTED, History(empty=True)):
        assert deploy(Observed(stack(), history=history), wanted) == Protect(
            on=True, reason="production stacks are protected against deletion"
        )
        assert isinstance(deploy(Observed(stack(), history=replace(history, protected=True)), wanted), Done)


# recovery


def test_a_failed_creation_goes_only_when_it_holds_no_data() -> None:
    failed = stack("ROLLBACK_COMPLETE", reason="The following resource(s) failed: [Topic]")

    assert isinstance(deploy(Observed(failed)), Inspect)
    held = deploy(Observed(failed, data=("Database",)))
    assert isinstance(held, Fail)
    assert (held.outcome, "it holds Database" in held.reason) == ("protected", True)
    empty = deploy(Observed(failed, data=()))
    assert isinstance(empty, DeleteStack)
    assert "The following resource(s) failed: [Topic]" in empty.reason


def test_a_failed_creation_loses_its_protection_before_it_goes() -> None:
    failed = Observed(stack("ROLLBACK_COMPLETE", protected=True), data=())

    assert isinstance(deploy(failed), Protect)
    assert isinstance(deploy(replace(failed, history=History(unprotected=True))), DeleteStack)


def test_recovery_is_not_repeated_for_ever() -> None:
    assert isinstance(deploy(Observed(stack("DELETE_FAILED"), data=(), history=History(deletes=2))), Fail)
    assert isinstance(deploy(Observed(stack("UPDATE_FAILED"), history=History(rollbacks=2))), Fail)
    stuck = Observed(stack("UPDATE_ROLLBACK_FAILED"), history=History(continues=2))
    assert isinstance(deploy(stuck), Inspect)
    assert isinstance(deploy(replace(stuck, stuck=())), Fail)
    assert isinstance(destroy(Observed(stack("DELETE_FAILED"), history=History(deletes=2))), Fail)


@pytest.mark.parametrize(
    ("status", "history"),
    [
        ("DELETE_FAILED", History(deletes=1)),
        ("UPDATE_FAILED", History(rollbacks=1)),
        ("UPDATE_ROLLBACK_FAILED", History(continues=1)),
    ],
)
def test_recovery_that_is_not_seen_yet_is_waited_for(status: str, history: History) -> None:
    assert isinstance(deploy(Observed(stack(status), fresh=False, history=history)), Wait)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_recovery_waits_for_what_the_stack_needs(status: str) -> None:
    assert deploy(Observed(stack(status), hold="waits for b")) == Wait("waits for b", on="others")


# destroy


def test_destroying_waits_for_consumers_and_for_stale_looks() -> None:
    assert destroy(Observed(stack(), hold="waits for b")) == Wait("waits for b", on="others")
    assert destroy(Observed(stack(), fresh=False, history=History(deletes=1))) == Wait(
        "AWS does not show it yet"
    )


def test_a_deletion_that_aws_refuses_while_the_stack_stays_as_it_is_ends() -> None:
    reason = "Export dev-a-Id cannot be deleted as it is in use by dev-b"
    kept = replace(stack(), reason=reason)

    ended = destroy(Observed(kept, history=History(deletes=1)))

    assert ended == Fail(f"AWS does not delete it: {reason}")


def test_destroying_says_whether_there_was_anything() -> None:
    assert destroy(Observed(None)) == Done("none", "it does not exist")
    assert destroy(Observed(None, existed=True)) == Done("delete", "deleted")


def test_termination_protection_is_lifted_by_force_alone() -> None:
    there = Observed(stack(protected=True))

    refused = destroy(there)
    assert isinstance(refused, Fail)
    assert refused.outcome == "protected"
    forced = replace(WANTED, force=True)
    assert destroy(there, forced) == Protect(on=False, reason="--force")
    assert isinstance(destroy(replace(there, history=History(unprotected=True)), forced), DeleteStack)


def test_a_stuck_rollback_is_continued_once_and_then_deleted_anyway() -> None:
    stuck = Observed(stack("UPDATE_ROLLBACK_FAILED"), history=History(continues=1))

    assert isinstance(destroy(stuck), DeleteStack)


def test_a_stack_under_review_belongs_to_whom_its_change_sets_belong() -> None:
    review = Observed(stack("REVIEW_IN_PROGRESS", tags={}))

    assert isinstance(destroy(review), Inspect)
    assert isinstance(destroy(replace(review, foreign=())), DeleteStack)
    assert isinstance(destroy(replace(review, foreign=("theirs",))), Fail)


def test_ownership_is_all_three_tags() -> None:
    assert owned(stack(), OURS)
    assert not owned(stack(tags=OURS | {"System": "other"}), OURS)
    assert not owned(stack(tags={}), {})


# whatever is seen

statuses = st.sampled_from([*STATUSES, None])
change_sets = st.one_of(
    st.none(),
    st.builds(
        change_set,
        st.sampled_from(
            ["CREATE_PENDING", "CREATE_IN_PROGRESS", "CREATE_COMPLETE", "FAILED", "DELETE_COMPLETE"]
        ),
        st.sampled_from(["UNAVAILABLE", "AVAILABLE", "EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "OBSOLETE"]),
        reason=st.sampled_from(["", NO_CHANGES, "bad"]),
        changes=st.sampled_from([(), (DATABASE,), (Change("Remove", "T", "AWS::SNS::Topic"),)]),
    ),
)


@st.composite
def looks(draw: st.DrawFn) -> Observed:
    status = draw(statuses)
    found = None
    if status is not None:
        tags = draw(st.sampled_from([OURS, {}, OURS | {"System": "other"}]))
        found = stack(status, tags=tags, protected=draw(st.booleans()))
    return Observed(
        found,
        draw(change_sets),
        outdated=draw(st.booleans()),
        fresh=draw(st.booleans()),
        hold=draw(st.sampled_from(["", "waits for b"])),
        early=draw(st.booleans()),
        data=draw(st.sampled_from([None, (), ("Database",)])),
        foreign=draw(st.sampled_from([None, (), ("theirs",)])),
    )


def after(action: Action, history: History) -> History:
    """What a run notes about an action that AWS took."""
    noted: dict[str, Any] = {}
    match action:
        case CreateChangeSet():
            made = history.change_sets + 1
            noted = {"change_sets": made, "kind": action.kind, "empty": False, "premature": False}
        case Execute():
            noted = {"executed": action.change_set_id}
        case DeleteChangeSet():
            noted = {"empty": action.empty, "premature": action.premature}
        case DeleteStack():
            noted = {"deletes": history.deletes + 1}
        case ContinueRollback():
            noted = {"continues": history.continues + 1}
        case RollBack():
            noted = {"rollbacks": history.rollbacks + 1}
        case Protect():
            noted = {"protected" if action.on else "unprotected": True}
    return replace(history, **noted)


@given(goal=st.sampled_from(["deploy", "destroy"]), seen=st.lists(looks(), max_size=10), force=st.booleans())
@settings(max_examples=100)
def test_whatever_is_seen_nothing_foreign_goes_and_nothing_is_executed_twice(
    goal: Goal, seen: list[Observed], *, force: bool
) -> None:
    history, executed = History(), []
    for look in seen:
        observed = replace(look, history=history)
        action = decide(goal, replace(WANTED, force=force), observed)
        if isinstance(action, (DeleteStack, RollBack, ContinueRollback)):
            assert observed.stack is not None
            shell = observed.stack.status == "REVIEW_IN_PROGRESS" and observed.foreign == ()
            assert owned(observed.stack, OURS) or shell
        if isinstance(action, Execute):
            executed.append(action.change_set_id)
            assert not any(change.stateful and change.destructive for change in look.change_set.changes)  # type: ignore[union-attr] # there is one, it is executed
        history = after(action, history)
    assert len(executed) <= 1
    assert history.deletes <= 2
    assert history.change_sets <= 4


@given(goal=st.sampled_from(["deploy", "destroy"]), look=looks(), force=st.booleans())
@settings(max_examples=100)
def test_a_state_that_no_longer_changes_is_always_come_to_an_end_with(
    goal: Goal, look: Observed, *, force: bool
) -> None:
    """Nothing AWS is asked for ever shows: after a few steps the run waits, is done or gives up."""
    observed = look
    for _ in range(20):
        action = decide(goal, replace(WANTED, force=force), observed)
        if isinstance(action, (Wait, Done, Fail)):
            return
        observed = replace(observed, history=after(action, observed.history))
        if isinstance(action, Inspect):
            known = {name: getattr(observed, name) or () for name in ("data", "foreign", "stuck")}
            observed = replace(observed, **known)
        if isinstance(action, DeleteChangeSet):
            observed = replace(observed, change_set=None, outdated=False)
        if isinstance(action, CreateChangeSet):
            observed = replace(observed, change_set=look.change_set or change_set())
    raise AssertionError(f"no end in sight: {action}")


def test_steps_of_the_table_are_all_known_to_decide() -> None:
    for step in Step:
        statuses_of = [name for name, one in STATUSES.items() if step in {one.deploy, one.destroy}]
        assert statuses_of or step in {Step.NOTHING, Step.STOP, Step.DELETE}
