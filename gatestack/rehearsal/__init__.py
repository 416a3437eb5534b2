"""The sandbox made to fail, from the command line."""
