"""The parts that builders put together: one file a thing, each adding it to the stack it is given."""
