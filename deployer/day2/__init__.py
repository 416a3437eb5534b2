"""Day two: secrets, parameters, rotations, roll-outs, verification, drift, and watching. Knows no boto."""
