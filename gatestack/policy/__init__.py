"""A team's own rules over the templates: what fails them is told, or refused."""
