"""Taking up what is in the account already: asked for by name, or found by a name that is taken."""
