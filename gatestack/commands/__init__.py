"""The commands, a file each: the only place that knows both halves. Each returns an exit code."""
