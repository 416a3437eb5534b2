"""The history of stacks from CloudFormation's events. Pure; keeps no state of its own."""
