"""Express mode: what is looked at where CloudFormation does not wait until resources are ready."""
