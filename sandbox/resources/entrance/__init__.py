"""What clients meet first: certificates, DNS records, firewalls."""
