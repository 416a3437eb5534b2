"""What is done to an environment that runs: its secrets, parameters, rotations, tasks. Knows no boto."""
