"""Reading and validation of an environment file: lines, values, AWS's limits, and messages."""
