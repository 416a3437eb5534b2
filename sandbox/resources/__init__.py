"""What a stack's resources become: real ones in moto for the services in use, typed ids for the rest."""
