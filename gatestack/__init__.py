"""The commands: the only place that knows both halves. A command is a small function that returns an exit code."""
