"""Plans: previewed, saved, approved, compared; and exports in use, which a deployment may not break."""
