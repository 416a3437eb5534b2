"""How an environment file is read and judged: lines, values, AWS's limits, and what to say."""
