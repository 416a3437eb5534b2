"""Express mode: checks of readiness where CloudFormation does not wait for it."""
