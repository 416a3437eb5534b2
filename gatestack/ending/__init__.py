"""The last screen of a run: outcome, what matters now, and the next command."""
