"""The commands: the only place that knows both halves. Each is a small function returning an exit code."""
