"""What the tasks call of AWS's: as data, and what follows from it for permissions and for the network."""
