"""What AWS refuses, as data and pure decisions: each rule with its source and, where known, AWS's words."""
