"""What AWS refuses, as data and pure decisions: each rule with its source and, if known, AWS's message."""
