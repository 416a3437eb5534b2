"""Plans that are saved, approved and executed exactly as they were reviewed, or refused."""
