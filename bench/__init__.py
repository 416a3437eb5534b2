"""How fast gatestack is, in ratios measured within one run: `make bench`. Not part of what is installed."""
