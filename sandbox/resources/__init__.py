"""What a stack's resources become: real ones in moto for the services that commands talk to, typed ids for the rest."""
