"""Resources of stacks: real ones in moto for the services in use, placeholders with ids for the rest."""
