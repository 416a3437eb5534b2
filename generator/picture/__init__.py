"""The diagram of an environment: what it contains, where each part is placed, how it is drawn."""
