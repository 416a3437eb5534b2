"""`setup`: its questions, and the environment file made from the answers."""
