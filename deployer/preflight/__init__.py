"""What an account, a region and a role will refuse, found by looking; each concern one pure file."""
