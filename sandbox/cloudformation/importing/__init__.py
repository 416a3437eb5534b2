"""Resource import: requested by name, or automatic where a name exists."""
