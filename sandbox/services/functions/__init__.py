"""Lambda's functions: what is kept of them, the processes that they run in, and what they log."""
