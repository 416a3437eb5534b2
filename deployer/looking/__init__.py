"""Looking without touching: what goes on, what is new, what has drifted."""
