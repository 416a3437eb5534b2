"""The picture of an environment: what is in it, where it goes on the page, how it is drawn."""
