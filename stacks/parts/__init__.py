"""Parts that builders combine: one file per kind of resource, each adding it to a given stack."""
