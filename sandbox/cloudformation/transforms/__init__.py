"""The macros that CloudFormation hosts: they transform a template into one without macros."""
