"""`lint --format`: the same findings for tools, at the line that a person changes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import Done, User, lint_findings
from tests.generator import finding_documents

PATCH = """\
extend:
  patches:
    - stack: alb
      resource: LoadBalancer
      path: Properties.Nonsense
      set: "50%: a"
      reason: an error
"""


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user whose environment `dev` has one finding, at the line of its patch."""
    user = User.at(tmp_path_factory.mktemp("wrong"), XDG_CACHE_HOME=lint_findings())
    with (user.folder / "environments" / "dev.yaml").open("a") as file:
        file.write(PATCH)
    return user


def linted(user: User, style: str, *names: str) -> Done:
    done = user.run("lint", *(names or ("dev",)), "--only", "alb", "--format", style)
    assert done.code == 1, done.err
    return done


def line(user: User) -> int:
    lines = (user.folder / "environments" / "dev.yaml").read_text().splitlines()
    return lines.index("    - stack: alb") + 1


def test_sarif_names_the_line_of_the_environment_s_file(wrong: User) -> None:
    (result,) = finding_documents.sarif(linted(wrong, "sarif").out)

    assert finding_documents.place(result) == ("environments/dev.yaml", line(wrong))
    assert (result["ruleId"], result["level"]) == ("E3002", "error")


def test_files_are_named_from_the_root_of_the_repository(wrong: User) -> None:
    agent = replace(wrong, variables=wrong.variables | {"GITHUB_WORKSPACE": str(wrong.folder.parent)})
    (result,) = finding_documents.sarif(linted(agent, "sarif").out)

    assert finding_documents.place(result)[0] == f"{wrong.folder.name}/environments/dev.yaml"


def test_junit_has_every_template_of_every_environment(wrong: User) -> None:
    root = finding_documents.junit(linted(wrong, "junit", "dev", "local").out)

    assert [(one.attrib["name"], one.attrib["failures"]) for one in root] == [("dev", "1"), ("local", "0")]


def test_github_gets_an_annotation_on_stdout_and_once(wrong: User) -> None:
    agent = replace(wrong, variables=wrong.variables | {"GITHUB_ACTIONS": "true"})

    for user in (wrong, agent):
        done = linted(user, "github")
        assert done.out.startswith(
            f"::error file=environments/dev.yaml,line={line(wrong)}::E3002 alb: Resources/"
        )
        assert len(done.out.splitlines()) == 1
        assert "E3002" not in done.err


def test_json_has_file_line_and_template(wrong: User) -> None:
    (document,) = json.loads(linted(wrong, "json").out)["environments"]

    assert (document["environment"], document["templates"]) == ("dev", ["alb"])
    (found,) = document["findings"]
    assert (found["file"], found["line"]) == ("environments/dev.yaml", line(wrong))
    assert found["place"].startswith("Resources/LoadBalancer/Properties")


def test_a_folder_s_finding_stands_in_its_template(wrong: User) -> None:
    assert wrong.run("generate", "dev", "--out", "rendered").code == 0
    (result,) = finding_documents.sarif(linted(wrong, "sarif", "rendered").out)

    file, number = finding_documents.place(result)
    assert file == "rendered/alb.json"
    assert number
    told = (wrong.folder / "rendered" / "alb.json").read_text().splitlines()[number - 1]
    assert "Nonsense" in told or "Properties" in told


def test_what_is_refused_is_refused_beside_the_others_findings(wrong: User, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("system: litellm\n")
    done = wrong.run("lint", "dev", str(tmp_path / "bad.yaml"), "--only", "alb", "--format", "sarif")

    assert done.code == 2
    assert len(finding_documents.sarif(done.out)) == 1
    assert "bad.yaml: environment: missing" in done.err
