"""What an account, region or role will refuse, found before deployment; one pure module per concern."""
