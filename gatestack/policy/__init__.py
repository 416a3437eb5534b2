"""A team's own rules on templates: violations are reported, or block a deployment."""
