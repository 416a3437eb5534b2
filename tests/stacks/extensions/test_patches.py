"""Patches of finished templates: what they find, what they refuse, what guards data."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.manifest import StackSpec, read, write
from generator.render import render
from stacks.extensions import ExtensionError, Patch
from stacks.extensions.guards import weakened
from stacks.extensions.patches import applied
from tests.stacks.extensions.extended import BASE, loaded, refusal

PLACE = "environments/dev.yaml:5"


def patched(folder: Path, stack: str, resource: str, rest: str, base: str = BASE) -> StackSpec:
    """Return the stack of an environment with one patch of it."""
    line = f"    - {{stack: {stack}, resource: {resource}, {rest}, reason: our baseline}}\n"
    text = base + "extend:\n  patches:\n" + line
    return next(one for one in render(loaded(folder, text)).stacks if one.name == stack)


def refused(folder: Path, stack: str, resource: str, rest: str, base: str = BASE) -> str:
    """Return what is said of such a patch."""
    with pytest.raises(ExtensionError) as found:
        patched(folder, stack, resource, rest, base)
    return str(found.value).replace(f"{folder}/", "")


def resource(spec: StackSpec, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(spec.template)["Resources"][name]
    return found


def test_a_patch_sets_what_is_there_and_what_is_not(tmp_path: Path) -> None:
    spec = patched(tmp_path, "alb", "HttpListener", "path: Properties.Port, set: 8080")
    assert resource(spec, "HttpListener")["Properties"]["Port"] == 8080
    (mark,) = spec.patched
    assert str(mark).replace(f"{tmp_path}/", "") == f"patched by {PLACE}: our baseline"
    spec = patched(
        tmp_path, "database", "Database", "path: Properties.CACertificateIdentifier, set: rds-ca-rsa4096-g1"
    )
    assert resource(spec, "Database")["Properties"]["CACertificateIdentifier"] == "rds-ca-rsa4096-g1"


def test_a_patch_picks_in_lists(tmp_path: Path) -> None:
    path = "Properties.LoadBalancerAttributes[Key=idle_timeout.timeout_seconds].Value"
    spec = patched(tmp_path, "alb", "LoadBalancer", f"path: '{path}', set: '77'")
    attributes = {
        one["Key"]: one["Value"]
        for one in resource(spec, "LoadBalancer")["Properties"]["LoadBalancerAttributes"]
    }
    assert attributes["idle_timeout.timeout_seconds"] == "77"
    added = "{Key: routing.http.xff_header_processing.mode, Value: preserve}"
    spec = patched(
        tmp_path, "alb", "LoadBalancer", f"path: Properties.LoadBalancerAttributes, append: {added}"
    )
    assert resource(spec, "LoadBalancer")["Properties"]["LoadBalancerAttributes"][-1]["Value"] == "preserve"
    spec = patched(
        tmp_path, "alb", "LoadBalancer", "path: 'Properties.LoadBalancerAttributes[0]', remove: true"
    )
    assert len(resource(spec, "LoadBalancer")["Properties"]["LoadBalancerAttributes"]) == len(attributes) - 1


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("alb HttpListner path: Properties.Port, set: 1", "no such resource; did you mean HttpListener?"),
        (
            "alb HttpListener path: Properties.Prot.A, set: 1",
            "there is no Prot: Properties has DefaultActions, ",
        ),
        ("alb HttpListener path: Properties.Prot, remove: true", "there is no Prot"),
        ("alb HttpListener path: Properties.Port, set: 80", "that is what is there already"),
        ("alb HttpListener path: Properties.Port, set: '80'", "that is what is there already"),
        ("alb HttpListener path: Properties.Port, append: 80", "there is no list to append to; use set"),
        ("alb HttpListener path: Type, set: x", "a path begins with Properties, DeletionPolicy"),
        ("alb HttpListener path: Properties..Port, set: 1", "'..Port' is no path"),
        ("alb HttpListener path: 'Properties[', set: 1", "'[' is no path"),
        ("alb HttpListener path: .Properties, set: 1", "'.Properties' is no path"),
        (
            "alb HttpListener path: 'Properties.DefaultActions[7].Type', set: 1",
            "has 1 entries, the first is [0]",
        ),
        (
            "alb HttpListener path: 'Properties.DefaultActions[Type=x].Type', set: 1",
            "[Type=x] picks no entry",
        ),
        ("alb HttpListener path: 'Properties.Port[0]', set: 1", "Properties.Port is no list"),
        (
            "alb HttpListener path: 'Properties.LoadBalancerArn', set: {Fn::ImportValue: x}",
            "neither adds nor takes",
        ),
        (
            "alb LoadBalancer path: 'Properties.Subnets[0]', set: subnet-1",
            "a patch neither adds nor takes one",
        ),
        (
            "alb LoadBalancer path: Properties.Name, set: other",
            "gatestack finds the resource by its Name, dev-litellm",
        ),
        (
            "service Service path: Properties.DesiredCount, set: 3",
            "gatestack looks DesiredCount up at each deployment",
        ),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_with_its_line(tmp_path: Path, where: str, said: str) -> None:
    stack, name, rest = where.split(" ", 2)
    found = refused(tmp_path, stack, name, rest)
    assert found.startswith(f"{PLACE}: {stack}/{name}: "), found
    assert said in found


def test_a_stack_that_the_environment_has_not_is_refused(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        "database",
        "Database",
        "path: Properties.A, set: 1",
        "system: llm-testing\nenvironment: dev\n",
    )
    assert f"{PLACE}: this environment has no stack database; it has security" in found


def test_what_a_listener_rule_forwards_to_is_looked_up_and_stays(tmp_path: Path) -> None:
    base = f"{BASE}service: {{deployment_strategy: canary}}\n"
    spec = next(one for one in render(loaded(tmp_path, base)).stacks if one.name == "alb")
    rule = next(one.facts["listener_rule"] for one in spec.lookups if one.rule == "live-group")
    found = refused(tmp_path, "alb", rule, "path: Properties.Priority, set: 9", base)
    assert "gatestack looks this resource up at each deployment" in found


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("path: Properties.A", "exactly one of set: VALUE, append: VALUE and remove: true"),
        ("path: Properties.A, set: 1, remove: true", "exactly one of"),
        ("path: Properties.A, set: 1, reason: ' '", "is not a reason"),
        ("path: Properties.A, set: 1, stack: extras", "no stack extras; a patch is for security"),
        ("path: '', set: 1", "is not a dotted path"),
        ("path: Properties.A, sett: 1", "unknown key; did you mean set?"),
    ],
)
def test_a_patch_that_says_nothing_clear_is_refused(tmp_path: Path, rest: str, said: str) -> None:
    more = "".join(f", {key}" for key in ("stack: alb", "reason: x") if key.partition(":")[0] not in rest)
    text = f"{BASE}extend:\n  patches:\n    - {{resource: A{more}, {rest}}}\n"
    found = refusal(tmp_path, text)
    assert found.startswith(f"{PLACE}: extend.patches[0]."), found
    assert said in found


def test_a_reason_is_needed(tmp_path: Path) -> None:
    text = f"{BASE}extend:\n  patches:\n    - {{stack: alb, resource: A, path: Properties.A, set: 1}}\n"
    assert "extend.patches[0].reason: missing" in refusal(tmp_path, text)


RISKS = [
    ("database Database path: DeletionPolicy, set: Delete", "DeletionPolicy"),
    ("database Database path: UpdateReplacePolicy, remove: true", "UpdateReplacePolicy"),
    ("database Database path: Properties.StorageEncrypted, set: false", "Properties.StorageEncrypted"),
    ("database Database path: Properties.PubliclyAccessible, set: true", "Properties.PubliclyAccessible"),
    ("database Database path: Properties.BackupRetentionPeriod, set: 0", "Properties.BackupRetentionPeriod"),
    (
        "security ConfigBucket path: Properties.PublicAccessBlockConfiguration.BlockPublicAcls, set: false",
        "Properties.PublicAccessBlockConfiguration.BlockPublicAcls",
    ),
    ("security ConfigBucket path: Properties.BucketEncryption, remove: true", "Properties.BucketEncryption"),
    ("security Key path: Properties.EnableKeyRotation, set: false", "Properties.EnableKeyRotation"),
]


@pytest.mark.parametrize(("where", "lost"), RISKS)
def test_what_guards_data_goes_only_with_consent(tmp_path: Path, where: str, lost: str) -> None:
    stack, name, rest = where.split(" ", 2)
    found = refused(tmp_path, stack, name, rest)
    assert found.startswith(f"{PLACE}: {stack}/{name}: "), found
    assert f"takes away what guards data ({lost}" in found
    spec = patched(tmp_path, stack, name, f"{rest}, accept_risk: true")
    assert spec.patched[0].risks[0] == lost


def test_the_load_balancers_own_guard_counts_too(tmp_path: Path) -> None:
    base = f"{BASE}alb: {{deletion_protection: true}}\n"
    path = "'Properties.LoadBalancerAttributes[Key=deletion_protection.enabled].Value'"
    found = refused(tmp_path, "alb", "LoadBalancer", f"path: {path}, set: 'false'", base)
    assert "Properties.LoadBalancerAttributes[Key=deletion_protection.enabled]" in found


def test_more_protection_needs_nobodys_consent(tmp_path: Path) -> None:
    spec = patched(tmp_path, "database", "Database", "path: DeletionPolicy, set: Retain")
    assert spec.patched[0].risks == ()


def test_all_patches_that_do_not_fit_are_told_at_once(tmp_path: Path) -> None:
    lines = "".join(
        f"    - {{stack: alb, resource: No{n}, path: Properties.A, set: 1, reason: x}}\n" for n in range(2)
    )
    with pytest.raises(ExtensionError) as found:
        render(loaded(tmp_path, f"{BASE}extend:\n  patches:\n{lines}"))
    assert [line.partition(": ")[0][-1] for line in str(found.value).splitlines()] == ["5", "6"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"A": {"StorageEncrypted": True}}, {"A": {"StorageEncrypted": {"Fn::If": ["X", True, False]}}}),
        (
            {"VersioningConfiguration": {"Status": "Enabled"}},
            {"VersioningConfiguration": {"Status": "Suspended"}},
        ),
        ({"Rules": [{"Status": "Enabled"}]}, {"Rules": []}),
        ({"RetentionInDays": 30}, {"RetentionInDays": 7}),
        ({}, {"EmptyOnDelete": "true"}),
        ({"SSEAlgorithm": "aws:kms"}, {"SSEAlgorithm": "AES256"}),
        ({"TransitEncryptionMode": "required"}, {"TransitEncryptionMode": "preferred"}),
        ({"ObjectLockEnabled": True}, {}),
        ({"AutomatedSnapshotRetentionPeriod": 7}, {"AutomatedSnapshotRetentionPeriod": 1}),
        ({"Artifacts": {}}, {"Artifacts": {"EncryptionDisabled": True}}),
        ({"PerformanceInsightsKMSKeyId": "key"}, {}),
    ],
)
def test_what_is_less_certain_guards_less(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert list(weakened(before, after))
    assert not list(weakened(after, before))


@given(st.text(st.sampled_from("Properties.[]=0ab'\"\\ "), min_size=1, max_size=30))
def test_no_path_makes_a_traceback(path: str) -> None:
    template = {"Resources": {"A": {"Type": "x", "Properties": {"a": [{"b": 1}], "b": "a"}}}}
    patch = Patch("alb", "A", path, "set", 5, "x", accept_risk=True, where="here")
    for verb in ("set", "append", "remove"):
        with suppress(ExtensionError):
            applied(template, patch._replace(verb=verb), "dev-litellm")
    assert template["Resources"]["A"]["Properties"] == {"a": [{"b": 1}], "b": "a"}


@pytest.mark.parametrize("field", ["where", "reason", "risks", "resource"])
def test_a_folder_whose_marks_are_no_lines_of_text_is_refused(tmp_path: Path, field: str) -> None:
    line = "    - {stack: alb, resource: HttpListener, path: Properties.Port, set: 8080, reason: x}\n"
    manifest = render(loaded(tmp_path, f"{BASE}extend:\n  patches:\n{line}"))
    write(manifest, tmp_path / "built")
    assert read(tmp_path / "built") == manifest
    index = json.loads((tmp_path / "built" / "manifest.json").read_text())
    (mark,) = next(one["patched"] for one in index["stacks"] if "patched" in one)
    mark[field] = ["a\nb"] if field == "risks" else "a\nb"
    (tmp_path / "built" / "manifest.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match=rf"patched\.0\.{field}"):
        read(tmp_path / "built")
