"""What an environment takes for granted, compared with what is there, untouched. Knows no boto."""
