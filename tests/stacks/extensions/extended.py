"""An environment with something of the team's own, as files in a folder."""

from pathlib import Path

from stacks.environment import EnvironmentFileError, load
from stacks.settings import Settings

TEMPLATE = """\
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Prefix: {Type: String}
  Tier: {Type: String}
  Retention: {Type: Number, MinValue: 1}
Conditions:
  Production: !Equals [!Ref Tier, production]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BucketName: !Sub "${Prefix}-prompts"
      LifecycleConfiguration:
        Rules:
          - {Id: old, Status: Enabled, ExpirationInDays: !Ref Retention}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: !If [Production, real, trial]
      VpcId:
        Fn::ImportValue: !Sub "${Prefix}-network-VpcId"
Outputs:
  BucketName:
    Value: !Ref Bucket
    Export: {Name: !Sub "${Prefix}-extras-BucketName"}
"""
ENTRY = """\
extend:
  stacks:
    - name: extras
      template: extensions/extras.yaml
      parameters: {Retention: "30"}
"""
BASE = """\
system: litellm
environment: dev
"""


def written(folder: Path, text: str = BASE + ENTRY, template: str = TEMPLATE) -> Path:
    """Write an environment file of *text* that may name extensions/extras.yaml, *template*; return it."""
    path = folder / "environments" / "dev.yaml"
    beside = folder / "environments" / "extensions" / "extras.yaml"
    beside.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    beside.write_text(template)
    return path


def loaded(folder: Path, text: str = BASE + ENTRY, template: str = TEMPLATE) -> Settings:
    """Return the settings of such an environment."""
    return load(written(folder, text, template))


def refusal(folder: Path, text: str = BASE + ENTRY, template: str = TEMPLATE) -> str:
    """Return the error about an invalid environment, with paths as in *folder*."""
    try:
        loaded(folder, text, template)
    except EnvironmentFileError as error:
        return str(error).replace(f"{folder}/", "")
    raise AssertionError("it was not refused")
