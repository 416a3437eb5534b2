"""Templates of a team's own: read, checked, every problem with its file and line; names made literal."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import strategies as st

from deployer.graph import GraphError, graph
from generator.render import render
from generator.rights import rights
from generator.traffic import traffic
from stacks import bootstrap
from stacks.checking.advice import advice
from stacks.checking.secret_texts import is_secret
from stacks.environment import EnvironmentFileError, load
from stacks.extensions import ExtensionError
from stacks.extensions.document import read
from stacks.extensions.finishing import finished
from tests.covering import searched
from tests.stacks.extensions.extended import BASE, ENTRY, TEMPLATE, loaded, refusal, written
from tests.stacks.finders import properties

BOMB = """\
a: &a [x,x,x,x,x,x,x,x,x,x]
b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]
c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]
d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]
"""
KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"
HERE = "environments/dev.yaml"
THERE = "environments/extensions/extras.yaml"


def template_of(folder: Path, template: str = TEMPLATE, text: str = BASE + ENTRY) -> dict:
    spec = render(loaded(folder, text, template)).stacks[-1]
    assert spec.stack_name == "dev-litellm-extras"
    return json.loads(spec.template)


def test_short_functions_become_long_ones_and_names_texts(tmp_path: Path) -> None:
    template = template_of(tmp_path)
    group = template["Resources"]["Group"]["Properties"]
    assert group["VpcId"] == {"Fn::ImportValue": "dev-litellm-network-VpcId"}
    assert group["GroupDescription"] == {"Fn::If": ["Production", "real", "trial"]}
    assert template["Outputs"]["BucketName"]["Export"] == {"Name": "dev-litellm-extras-BucketName"}
    defaults = {name: one.get("Default") for name, one in template["Parameters"].items()}
    assert defaults == {"Prefix": "dev-litellm", "Tier": "dev", "Retention": "30"}
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"


def test_json_says_the_same_with_tabs_too(tmp_path: Path) -> None:
    plain = read(TEMPLATE).value
    assert template_of(tmp_path, json.dumps(plain, indent="\t")) == template_of(tmp_path)


def test_a_stack_of_ones_own_is_a_stack_of_the_environment(tmp_path: Path) -> None:
    text = BASE + ENTRY + "      tags: {Team: llm}\n      timeout_minutes: 7\ntags: {CostCenter: '4711'}\n"
    spec = render(loaded(tmp_path, text)).stacks[-1]
    assert dict(spec.tags) == {
        "CostCenter": "4711",
        "Team": "llm",
        "Environment": "dev",
        "System": "litellm",
        "Stack": "extras",
        "ManagedBy": "gatestack",
    }
    assert (spec.timeout_minutes, spec.termination_protection, spec.capabilities) == (7, False, ())


def test_what_makes_roles_or_is_transformed_is_acknowledged(tmp_path: Path) -> None:
    role = TEMPLATE.replace("AWS::S3::Bucket", "AWS::IAM::Role")
    assert render(loaded(tmp_path, template=role)).stacks[-1].capabilities == ("CAPABILITY_NAMED_IAM",)
    text = f"Transform: AWS::LanguageExtensions\n{TEMPLATE}"
    assert render(loaded(tmp_path, template=text)).stacks[-1].capabilities == ("CAPABILITY_AUTO_EXPAND",)


@pytest.mark.parametrize(
    "name",
    [
        '!Sub "${Prefix}-network-VpcId"',
        '!Join ["-", [!Ref Prefix, network, VpcId]]',
        '!Sub ["${A}-VpcId", {A: !Sub "${Prefix}-network"}]',
        '!Join ["-", [!Select [0, !Split ["/", "dev-litellm/x"]], network-VpcId]]',
        "!FindInMap [Names, !Ref Tier, Vpc]",
        "dev-litellm-network-VpcId",
    ],
)
def test_names_are_worked_out_before_a_deployment(tmp_path: Path, name: str) -> None:
    mapping = "Mappings: {Names: {dev: {Vpc: dev-litellm-network-VpcId}}}\n"
    text = mapping + TEMPLATE.replace('!Sub "${Prefix}-network-VpcId"', name)
    group = template_of(tmp_path, text)["Resources"]["Group"]["Properties"]
    assert group["VpcId"] == {"Fn::ImportValue": "dev-litellm-network-VpcId"}


def test_an_output_of_somebody_elses_stack_is_taken_as_it_is(tmp_path: Path) -> None:
    asked = "{Fn::GetStackOutput: {StackName: shared-network, OutputName: VpcId}}"
    text = TEMPLATE.replace(
        'VpcId:\n        Fn::ImportValue: !Sub "${Prefix}-network-VpcId"', f"VpcId: {asked}"
    )
    found = template_of(tmp_path, text)["Resources"]["Group"]["Properties"]["VpcId"]
    assert found == {"Fn::GetStackOutput": {"StackName": "shared-network", "OutputName": "VpcId"}}
    short = text.replace(asked, "!GetStackOutput {StackName: shared-network, OutputName: VpcId}")
    assert template_of(tmp_path, short)["Resources"]["Group"]["Properties"]["VpcId"] == found


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ('{StackName: !Sub "${Prefix}-network", OutputName: VpcId}', "dev-litellm-network: a stack of this"),
        ("{StackName: !Ref Bucket, OutputName: VpcId}", "known before a deployment, and Bucket is not"),
        ("{OutputName: VpcId}", "expected StackName and OutputName"),
        ("text", "expected StackName and OutputName"),
    ],
)
def test_an_output_of_the_environments_own_stacks_is_refused(
    tmp_path: Path, argument: str, said: str
) -> None:
    whole = 'Fn::ImportValue: !Sub "${Prefix}-network-VpcId"'
    found = refusal(tmp_path, template=TEMPLATE.replace(whole, f"Fn::GetStackOutput: {argument}"))
    assert found.startswith(f"{THERE}:23: Resources.Group.Properties.VpcId.Fn::GetStackOutput"), found
    assert said in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("!Ref Bucket", "known before a deployment, and Bucket is not"),
        ('!Sub "${Group.GroupId}"', "and Group.GroupId is not"),
        ("!If [Production, a, b]", "Fn::If is not; it takes Ref"),
        ('!Sub "${AWS::AccountId}-x"', "and AWS::AccountId is not"),
        ("a b", "'a b' is no name of an export"),
        ("!Join [a]", "made of what is no name"),
        ("{a: b, c: d}", "made of what is no name"),
        ("!FindInMap [No, Such, Map]", "made of what is no name"),
        ("!Sub [a]", "made of what is no name"),
    ],
)
def test_a_name_that_only_a_deployment_knows_is_refused_with_its_line(
    tmp_path: Path, name: str, said: str
) -> None:
    text = TEMPLATE.replace('!Sub "${Prefix}-network-VpcId"', name)
    found = refusal(tmp_path, template=text)
    assert found.startswith(f"{THERE}:23: Resources.Group.Properties.VpcId.Fn::ImportValue: "), found
    assert said in found


@pytest.mark.parametrize(
    ("parameters", "declared", "said"),
    [
        ("{}", "", f"{HERE}:5: extend.stacks[0]: the template's parameter Retention has no default"),
        ('{Retention: "0"}', "", f"{HERE}:7: extend.stacks[0].parameters.Retention: expected 1 at least"),
        ('{Retention: "x"}', "", "expected a number"),
        ('{Retention: "1", Not: a}', "", ".Not: the template declares no parameter Not; it has Retention"),
        ('{Retention: "1", Prefix: a}', "", ".Prefix: gatestack gives this parameter itself"),
        ('{Retention: "1", A: c}', "A: {Type: String, AllowedValues: [a, b]}", ".A: the template takes a, b"),
        (
            '{Retention: "1", A: c}',
            "A: {Type: String, AllowedPattern: '[0-9]+'}",
            ".A: it does not match [0-9]+",
        ),
        ('{Retention: "1", A: c}', "A: {Type: String, MinLength: 2}", ".A: 2 characters at least"),
        ('{Retention: "1", A: "c c"}', "A: {Type: 'AWS::SSM::Parameter::Value<String>'}", "name of an SSM"),
        ('{Retention: "1", A: "1,x"}', "A: {Type: List<Number>}", ".A: expected a number"),
        ('{Retention: "1"}', "A: {Type: Strin}", "has no parameter type Strin"),
        (
            '{Retention: "1"}',
            "A: {Type: String, NoEcho: true}",
            f"{THERE}:6: Parameters.A: is NoEcho, so a secret",
        ),
        (
            '{Retention: "1", A: c}',
            "A: {Type: String, AllowedPattern: '[0-9]+', ConstraintDescription: digits!}",
            ".A: digits!",
        ),
    ],
)
def test_parameters_are_checked_as_cloudformation_checks_them(
    tmp_path: Path, parameters: str, declared: str, said: str
) -> None:
    text = BASE + ENTRY.replace('{Retention: "30"}', parameters)
    template = TEMPLATE.replace("Conditions:\n", f"  {declared}\nConditions:\n")
    assert said in refusal(tmp_path, text, template)


def test_the_remedy_for_a_secret_is_taken(tmp_path: Path) -> None:
    secret = "{{resolve:secretsmanager:team/key:SecretString:token}}"
    template = TEMPLATE.replace("real, trial]", f'"{secret}", trial]')
    group = template_of(tmp_path, template)["Resources"]["Group"]["Properties"]
    assert group["GroupDescription"]["Fn::If"][1] == secret


def test_a_secret_in_a_parameters_value_is_refused(tmp_path: Path) -> None:
    text = "sk-proj-" + "Ab1" * 16
    assert is_secret(text)
    declared = TEMPLATE.replace("Conditions:\n", "  A: {Type: String}\nConditions:\n")
    said = refusal(tmp_path, BASE + ENTRY.replace('"30"', f'"30", A: {text}'), declared)
    assert "looks like a secret" in said
    assert text not in said


def test_values_of_ssm_parameters_stand_by_their_names(tmp_path: Path) -> None:
    declared = "  Ami: {Type: 'AWS::SSM::Parameter::Value<String>'}\nConditions:\n"
    text = BASE + ENTRY.replace('"30"', '"30", Ami: /aws/service/ami')
    template = template_of(tmp_path, TEMPLATE.replace("Conditions:\n", declared), text)
    assert template["Parameters"]["Ami"]["Default"] == "/aws/service/ami"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", f"{THERE}: no CloudFormation template"),
        ("- a", f"{THERE}:1: no CloudFormation template"),
        ("Resources: {}", f"{THERE}:1: Resources: a template needs one resource at least"),
        ("Parameters: {}", f"{THERE}:1: a template needs one resource at least"),
        ("Resources: [a]", "a template needs one resource at least"),
        (
            "Resources: {A: {Type: a}}\nResorces: {}",
            f"{THERE}:2: Resorces: CloudFormation has no such section",
        ),
        ("Resources: {A: {Properties: {}}}", "Resources.A: a resource has a Type"),
        ("Resources: {A-b: {Type: a}}", "a logical id has letters and digits only"),
        ("Resources: {A: {Type: a, Proprties: {}}}", "Resources.A.Proprties: a resource has no Proprties"),
        ("Resources: {A: {Type: a, Properties: {B: }}}", "Resources.A.Properties.B: nothing stands here"),
        ("Resources: {A: {Type: 'AWS::CloudFormation::Stack'}}", "what it brings is in no template"),
        ("Resources: {'Fn::ForEach::X': []}", "write the resources out"),
        ("Transform: Mine\nResources: {A: {Type: a}}", f"{THERE}:1: Transform: a macro makes another"),
        ("Resources: {A: {Type: a, Properties: {'Fn::Transform': {Name: x}}}}", "a macro makes another"),
        (
            "Resources:\n  A: {Type: a}\n  A: {Type: b}",
            f"{THERE}:3: Resources.A: stands twice, first on line 2",
        ),
        ("Resources: {A: {Type: a, Properties: {B: !Reff C}}}", "no short function is called !Reff"),
        ("Resources: {A: {Type: a, Properties: {B: !GetAtt C}}}", "write !GetAtt LogicalId.Attribute"),
        ("Resources: {A: {Type: a, Metadata: {gatestack: {}}}}", "is gatestack's own"),
        ("Resources: {A: {Type: a}}\nOutputs: {B: {}}", f"{THERE}:2: Outputs.B: an output has a Value"),
        ("Resources: {A: {Type: a}}\nOutputs: {B: {Value: x, Export: x}}", "an export has a Name"),
        ("Resources: {A: {Type: a}}\nParameters: {B: {}}", "a parameter has a Type"),
        ("a: [" * 80 + "]" * 80, "nested deeper than 60 levels"),
        ("a: b: c", f"{THERE}:1: not YAML"),
        ("\x00", "not allowed in YAML"),
        (BOMB, "more than 100000 values"),
        ("Resources:\n" + "".join(f"  A{n}: {{Type: a}}\n" for n in range(501)), "501 resources"),
    ],
)
def test_what_is_no_template_is_refused_with_its_line(tmp_path: Path, template: str, said: str) -> None:
    assert said in refusal(
        tmp_path, BASE + ENTRY.replace('      parameters: {Retention: "30"}\n', ""), template
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{name: network, template: extensions/extras.yaml}",
            f"{HERE}:5: extend.stacks[0].name: network is gatestack's own",
        ),
        ("{name: manifest, template: extensions/extras.yaml}", "manifest is gatestack's own"),
        ("{name: Nope, template: x.yaml}", "is not a short name"),
        ("{name: a--b, template: x.yaml}", "is not a short name"),
        (f"{{name: {'a' * 41}, template: x.yaml}}", "41 characters; 40 at most"),
        (
            "{name: a, template: no.yaml}",
            f"{HERE}:5: extend.stacks[0].template: environments/no.yaml: no such file",
        ),
        ("{name: a, template: extensions}", "no regular file"),
        ("{name: a, template: /etc/hosts}", "write the path from this file on"),
        ("{name: a}", "extend.stacks[0].template: missing"),
        ("{name: a, template: x.yaml, nam: b}", "extend.stacks[0].nam: unknown key; did you mean name?"),
        ("{name: a, template: x.yaml, parameters: {A: 5}}", 'quote it: A: "5"'),
        (
            "{name: a, template: x.yaml, tags: {ManagedBy: us}}",
            "extend.stacks[0].tags.ManagedBy: is the same as",
        ),
    ],
)
def test_an_entry_that_cannot_be_is_refused_with_its_line(tmp_path: Path, entry: str, said: str) -> None:
    assert said in refusal(tmp_path, f"{BASE}extend:\n  stacks:\n    - {entry}\n")


def test_two_stacks_of_one_name_and_files_too_long_are_refused(tmp_path: Path) -> None:
    twice = BASE + ENTRY + "    - {name: extras, template: extensions/extras.yaml}\n"
    assert "extend.stacks[1].name: extras is the name of a stack above" in refusal(tmp_path, twice)
    assert "longer than 1000000 bytes" in refusal(tmp_path, template=TEMPLATE + "#" * 1_000_000)


def test_exports_of_two_stacks_under_one_name_are_refused_with_the_line(tmp_path: Path) -> None:
    ours = TEMPLATE.replace("${Prefix}-extras-BucketName", "${Prefix}-network-VpcId")
    with pytest.raises(ExtensionError) as found:
        render(loaded(tmp_path, template=ours))
    what = "the export dev-litellm-network-VpcId is the network stack's"
    assert str(found.value) == f"{tmp_path}/{THERE}:27: {what}; choose another name"


def test_tasks_get_outputs_of_own_stacks(tmp_path: Path) -> None:
    text = BASE + ENTRY + "service: {environment_from: {PROMPTS: extras.BucketName}}\n"
    manifest = render(loaded(tmp_path, text))
    template = json.loads(next(one.template for one in manifest.stacks if one.name == "service"))
    (container,) = template["Resources"]["ProxyTask"]["Properties"]["ContainerDefinitions"]
    wanted = {"Name": "PROMPTS", "Value": {"Fn::ImportValue": "dev-litellm-extras-BucketName"}}
    assert wanted in container["Environment"]
    database = next(one.template for one in manifest.stacks if one.name == "database")
    assert "extras" not in database


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            "{A: extras.No}",
            "service.environment_from.A: environments/extensions/extras.yaml has no output No",
        ),
        ("{A: extra.BucketName}", "extend.stacks has no extra; it has extras"),
        ("{A: BucketName}", "expected an output of a stack of your own, like extras.BucketName"),
        ("{1A: extras.BucketName}", "begins with no digit"),
        ("{DATABASE_URL: extras.BucketName}", "gatestack sets this variable itself"),
    ],
)
def test_an_output_that_is_not_there_is_refused(tmp_path: Path, variables: str, said: str) -> None:
    assert said in refusal(tmp_path, f"{BASE}{ENTRY}service: {{environment_from: {variables}}}\n")


def test_an_output_that_nobody_may_import_says_what_to_write(tmp_path: Path) -> None:
    text = BASE + ENTRY + "service: {environment_from: {PROMPTS: extras.BucketName}}\n"
    hidden = TEMPLATE.replace('    Export: {Name: !Sub "${Prefix}-extras-BucketName"}\n', "")
    said = refusal(tmp_path, text, hidden)
    assert f"{THERE}:25: BucketName is exported to nobody; write below it " in said
    remedy = said.rpartition("write below it ")[2]
    assert loaded(tmp_path, text, f"{hidden}    {remedy}\n").added.stacks


POLICY = """\
service:
  task_policy:
    - {sid: ListModels, actions: [bedrock:ListFoundationModels], resources: ["*"], reason: knows none}
    - sid: Prompts
      actions: [s3:GetObject, s3:PutObject]
      resources: ["arn:aws:s3:::%s/${aws:PrincipalTag/team}/*", "${extras.BucketName}"]
"""
NAMED = POLICY % "${extras.BucketName}"


def test_tasks_may_do_something_with_what_an_own_stack_makes(tmp_path: Path) -> None:
    manifest = render(loaded(tmp_path, BASE + ENTRY + NAMED))
    templates = {one.name: json.loads(one.template) for one in manifest.stacks}

    policy = templates["service"]["Resources"]["TaskPolicy"]["Properties"]
    export = {"Fn::ImportValue": "dev-litellm-extras-BucketName"}
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Sid": "Prompts",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [
                {
                    "Fn::Sub": [
                        "arn:aws:s3:::${Output0}/${!aws:PrincipalTag/team}/*",
                        {"Output0": export},
                    ]
                },
                export,
            ],
        }
    ]
    assert "dev-litellm-security-TaskRoleArn" in json.dumps(policy["Roles"])
    assert "TaskPolicy" in templates["service"]["Resources"]["Service"]["DependsOn"]
    inline = templates["security"]["Resources"]["TaskRole"]["Properties"]["Policies"][-1]
    assert [one["Sid"] for one in inline["PolicyDocument"]["Statement"]] == ["ListModels"]
    assert "extras" not in json.dumps(templates["security"])
    named = "${dev-litellm-extras-BucketName}"
    order = [names for names in graph(manifest.stacks).waves() if {"extras", "service"} & {*names}]
    assert ["extras" in names for names in order] == [True, False]
    assert (
        "service/TaskPolicy",
        "Prompts",
        "Allow",
        "s3:GetObject, s3:PutObject",
        f"arn:aws:s3:::{named}/${{aws:PrincipalTag/team}}/*, {named}",
        "",
    ) in rights(manifest)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("${extras.No}", "resources[0]: environments/extensions/extras.yaml has no output No; it has Bucket"),
        ("${extra.BucketName}", "resources[0]: extend.stacks has no extra; it has extras"),
    ],
)
def test_a_right_to_an_output_that_is_not_there_is_refused(tmp_path: Path, named: str, said: str) -> None:
    found = refusal(tmp_path, BASE + ENTRY + POLICY % named)

    assert f"{HERE}:13: service.task_policy[1].{said}" in found


def test_a_stack_that_waits_for_the_service_gives_the_tasks_no_right(tmp_path: Path) -> None:
    circle = TEMPLATE.replace("${Prefix}-network-VpcId", "${Prefix}-service-ClusterName")

    stacks = render(loaded(tmp_path, BASE + ENTRY + NAMED, circle)).stacks

    with pytest.raises(GraphError, match="import from each other in a circle"):
        graph(stacks)


@pytest.mark.parametrize(
    ("actions", "resources", "boundary"),
    [
        (
            "s3:GetObject, s3:PutObject",
            "arn:aws:s3:::${extras.BucketName}/x/*",
            ["arn:aws:s3:::dev-litellm-*/x/*"],
        ),
        ("s3:GetObject", "${extras.BucketName}/*", ["arn:aws:s3:::dev-litellm-*"]),
        (
            "dynamodb:GetItem, sqs:SendMessage",
            "${extras.BucketName}",
            ["arn:aws:dynamodb:*:*:*dev-litellm-*", "arn:aws:sqs:*:*:*dev-litellm-*"],
        ),
    ],
)
def test_a_boundary_takes_an_output_for_something_with_a_name_of_the_environments(
    tmp_path: Path, actions: str, resources: str, boundary: list[str]
) -> None:
    policy = f'{{sid: Own, actions: [{actions}], resources: ["{resources}"]}}'
    github = "pipelines: {github: {repository: acme/gateway, environments: [dev]}}\n"
    text = f"{BASE}{ENTRY}{github}service: {{task_policy: [{policy}]}}\n"

    statements = properties(bootstrap.build(loaded(tmp_path, text)), "Boundary")["PolicyDocument"][
        "Statement"
    ]
    assert [one["Resource"] for one in statements if one["Sid"] == "Own"] == [boundary]


def test_tasks_start_with_a_secret_that_an_own_stack_makes(tmp_path: Path) -> None:
    sources = '{A: "${extras.BucketName}", B: "${extras.BucketName}:token::"}'
    github = "pipelines: {github: {repository: acme/gateway, environments: [dev]}}\n"
    settings = loaded(tmp_path, f"{BASE}{ENTRY}{github}service: {{secrets_from: {sources}}}\n")
    manifest = render(settings)
    templates = {one.name: json.loads(one.template) for one in manifest.stacks}

    export = {"Fn::ImportValue": "dev-litellm-extras-BucketName"}
    (container,) = templates["service"]["Resources"]["ProxyTask"]["Properties"]["ContainerDefinitions"]
    told = {one["Name"]: one["ValueFrom"] for one in container["Secrets"] if one["Name"] in "AB"}
    assert told == {"A": export, "B": {"Fn::Sub": ["${Output0}:token::", {"Output0": export}]}}
    (policy,) = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in templates["service"]["Resources"].items()
        if name.startswith("SecretsFrom")
    )
    assert [(one["Sid"], one["Resource"]) for one in policy] == [("ReadOtherSecrets", [export])]
    assert "extras" not in json.dumps([templates["security"], templates["database"]])
    boundary = properties(bootstrap.build(settings), "Boundary")["PolicyDocument"]
    assert "ReadOtherSecrets" not in json.dumps(boundary)
    assert not [one for one in advice(settings) if "secrets_from" in one]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("'${extras.No}'", "service.secrets_from.A: environments/extensions/extras.yaml has no output No"),
        ("'${other.No}'", "A is of no stack of your own: extend.stacks has extras"),
        (
            f"{{arn: '${{extras.BucketName}}', kms_key_arn: '{KEY}'}}",
            "remove kms_key_arn",
        ),
    ],
)
def test_a_secret_of_an_own_stack_that_tasks_cannot_have_is_refused(
    tmp_path: Path, source: str, said: str
) -> None:
    assert said in refusal(tmp_path, f"{BASE}{ENTRY}service: {{secrets_from: {{A: {source}}}}}\n")


def test_another_region_or_image_keeps_what_is_added(tmp_path: Path) -> None:
    from stacks.checking.image_tag import with_image_tag  # noqa: PLC0415

    found = loaded(tmp_path)
    assert with_image_tag(found, "v1.93.1").added == found.added
    moved = found.model_copy(update={"region": "eu-west-1"})
    assert moved.added == found.added
    assert finished(moved, moved.added.stacks[0])[1] == ()


words = st.sampled_from(
    [
        "Resources",
        "A",
        "Type",
        "AWS::S3::Bucket",
        "Properties",
        "Outputs",
        "Export",
        "Name",
        "Value",
        "Fn::Sub",
        "Fn::ImportValue",
        "Ref",
        "Parameters",
        "Default",
        "NoEcho",
        "Transform",
        "AllowedValues",
        "${",
        "${A}",
        "Metadata",
    ]
) | st.text(max_size=4)
values = st.recursive(
    words | st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=25,
)


@searched(20, 300, values, values, values, values)
def test_no_template_makes_a_traceback(
    tmp_path: Path, resources: object, outputs: object, parameters: object, rest: object
) -> None:
    document = {
        "Resources": {"A": {"Type": "AWS::S3::Bucket", "Properties": {"B": rest}}, "C": resources},
        "Outputs": {"O": outputs},
        "Parameters": {"P": parameters},
    }
    for template in (json.dumps(document), json.dumps({**document, "Resources": resources}), str(rest)):
        with suppress(EnvironmentFileError, ExtensionError):
            render(loaded(tmp_path, template=template))


@searched(20, 300, st.text(st.sampled_from("ab:{}[]!&*<|>-'\"\n\t #%?0."), max_size=60))
def test_no_text_makes_a_traceback(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, template=text)


def test_a_parameter_that_only_names_needed_is_not_left_idle(tmp_path: Path) -> None:
    text = TEMPLATE.replace('!Sub "${Prefix}-prompts"', '!Sub "${AWS::StackName}-prompts"')
    mapping = "Mappings: {Names: {dev: {Vpc: dev-litellm-network-VpcId}}}\n"
    text = mapping + text.replace('!Sub "${Prefix}-network-VpcId"', "!FindInMap [Names, !Ref Tier, Vpc]")
    template = template_of(tmp_path, text)
    assert template["Parameters"].keys() == {"Tier", "Retention"}
    assert "Mappings" not in template


def test_rules_that_a_condition_chooses_are_drawn(tmp_path: Path) -> None:
    rule = "{IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8}"
    text = TEMPLATE.replace(
        "      GroupDescription: !If [Production, real, trial]\n",
        "      GroupDescription: group\n"
        f"      SecurityGroupIngress: !If [Production, [], [{rule}]]\n"
        f"      SecurityGroupEgress: [!If [Production, {rule}, !Ref AWS::NoValue]]\n",
    )
    rules = traffic(render(loaded(tmp_path, template=text))).rules
    own = [(one.direction, one.ports, one.peer.value) for one in rules if one.group == "extras/Group"]
    assert own == [("in", "80", "10.0.0.0/8")]


def test_a_template_is_beside_the_file_that_names_it(tmp_path: Path) -> None:
    written(tmp_path)
    base = tmp_path / "environments" / "dev.yaml"
    base.write_text(base.read_text().replace("environment: dev\n", ""))
    own = tmp_path / "own.yaml"
    own.write_text("extends: environments/dev.yaml\nenvironment: dev\n")
    assert [one.name for one in load(own).added.stacks] == ["extras"]
    base.write_text(base.read_text().replace("extras.yaml", "no.yaml"))
    with pytest.raises(EnvironmentFileError) as found:
        load(own)
    said = str(found.value).replace(f"{tmp_path}/", "")
    what = "environments/extensions/no.yaml: no such file"
    assert said == f"environments/dev.yaml:5: extend.stacks[0].template: {what}"
