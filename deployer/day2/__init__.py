"""Day 2: secrets, parameters, rotations, rollouts, verification, drift, watching. Does not use botocore."""
