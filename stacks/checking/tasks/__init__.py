"""What the file says of the tasks beside their size: other containers, rights, groups."""
