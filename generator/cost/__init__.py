"""The monthly cost of an environment, estimated from its templates. Pure; importing it loads nothing."""
