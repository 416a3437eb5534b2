"""Stand-ins for cfn-guard and checkov: one rule each, told as the programs themselves have told it."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
RULE = """\
let databases = Resources.*[ Type == 'AWS::RDS::DBInstance' ]

rule standby when %databases !empty {
    %databases.Properties.MultiAZ == true << Every database has a standby >>
}
"""
CHECK = """\
metadata: {id: TEAM_1, name: Logs are kept for a month, category: LOGGING}
definition:
  cond_type: attribute
  resource_types: [AWS::Logs::LogGroup]
  attribute: RetentionInDays
  operator: greater_than_or_equal
  value: 30
"""

GUARD = """#!{python}
# cfn-guard: the rule `standby`; a rule file's first line asks for a parse error, or for what it was given.
import json, os, sys
from pathlib import Path
rules, data = (sys.argv.index(word) for word in ("--rules", "--data"))
text = Path(sys.argv[rules + 1]).read_text()
if "BROKEN" in text:
    sys.stderr.write("Parsing error handling rule file = team.guard")
if "SPILL" in text:
    sys.stderr.write(os.environ.get("AWS_SECRET_ACCESS_KEY", "no secret") + " " + os.environ["HOME"])
recorded = json.loads(Path({recorded!r}).read_text())[0]["not_compliant"][:1]
entries, bad = [], False
for one in map(Path, sys.argv[data + 1 :]):
    database = json.loads(one.read_text())["Resources"].get("Database")
    fails = database is not None and database["Properties"]["MultiAZ"] is not True
    bad = bad or fails
    entries.append({{
        "name": str(one),
        "not_compliant": recorded if fails else [],
        "compliant": ["standby"] if database and not fails else [],
        "not_applicable": [] if database else ["standby"],
    }})
print(json.dumps(entries))
sys.exit(19 if bad else 0)
"""
CHECKOV = """#!{python}
# checkov: a check of its own and TEAM_1, on every log group; a broken check is told on stderr alone.
import json, sys
from pathlib import Path
own = [Path(sys.argv[at + 1]) for at, word in enumerate(sys.argv) if word == "--external-checks-dir"]
assert all((one / "__init__.py").is_file() for one in own)
if any("BROKEN" in path.read_text() for one in own for path in one.glob("*.py")):
    sys.stderr.write("Cannot load external check 'broken'")
failed, count = [], 0
for path in sorted(Path(sys.argv[sys.argv.index("--directory") + 1]).rglob("*.json")):
    resources = json.loads(path.read_text())["Resources"]
    count += len(resources)
    for name, entry in resources.items():
        if entry["Type"] != "AWS::Logs::LogGroup" or entry["Properties"]["RetentionInDays"] >= 30:
            continue
        for check, kind in (("TEAM_1", "checkov.common.graph.base_check"), ("CKV_1", "checkov.x")):
            failed.append({{
                "check_id": check, "check_class": kind, "check_name": "Logs are kept for a month",
                "resource": "AWS::Logs::LogGroup." + name, "file_path": "/".join(["", *path.parts[-2:]]),
                "check_result": {{"evaluated_keys": ["RetentionInDays"]}},
            }})
summary = {{"passed": 0, "resource_count": count, "parsing_errors": 0, "checkov_version": "3"}}
print(json.dumps({{"summary": summary, "results": {{"failed_checks": failed}}}}))
"""


def put(folder: Path) -> Path:
    """Write both programs to *folder*, for PATH."""
    folder.mkdir()
    for name, text in {"cfn-guard": GUARD, "checkov": CHECKOV}.items():
        program = folder / name
        program.write_text(text.format(python=sys.executable, recorded=str(HERE / "cfn_guard_shapes.json")))
        program.chmod(0o755)
    return folder


def rules(folder: Path, **files: str) -> Path:
    """Write rule files into *folder*; `team_guard` is team.guard."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder
