"""What `lint` and `policy` print: findings for a person, or in the form of a tool."""
