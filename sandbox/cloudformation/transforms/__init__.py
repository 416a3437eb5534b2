"""The macros that CloudFormation itself hosts: a template that uses some becomes one that uses none."""
