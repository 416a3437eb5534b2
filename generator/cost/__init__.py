"""What an environment costs in a month, from its templates. Pure; importing it loads nothing."""
