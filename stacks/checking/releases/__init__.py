"""Known vulnerabilities of releases, and AWS's end-of-support dates: tables and decisions. Pure."""
