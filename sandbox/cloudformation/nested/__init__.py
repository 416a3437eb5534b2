"""
Nested stacks: stacks that are resources of a stack.

CloudFormation User Guide, "Split a template into reusable pieces using nested stacks"; CloudFormation
Template Reference, "AWS::CloudFormation::Stack". Where AWS keeps what an update replaced in a nested stack
until the root is through, here the nested stack is through by itself: a root that goes back updates it to
what it was, in the statuses of a rollback.
"""
