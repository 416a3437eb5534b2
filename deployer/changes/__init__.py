"""Plans: preview, save, approve, compare; and the protection of exports in use."""
