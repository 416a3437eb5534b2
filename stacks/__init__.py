"""WHAT is deployed: five builders, each a pure function from settings to a template. Their order is in their imports."""
