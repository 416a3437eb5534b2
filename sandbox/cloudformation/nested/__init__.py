"""
Nested stacks: stacks that are resources of a stack.

CloudFormation User Guide, "Split a template into reusable pieces using nested stacks"; CloudFormation
Template Reference, "AWS::CloudFormation::Stack". AWS keeps what an update replaced in a nested stack until
the root stack completes; here a nested stack completes on its own, and a rollback of the root updates it to
its previous state, with the statuses of a rollback.
"""
