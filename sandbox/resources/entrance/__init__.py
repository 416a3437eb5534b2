"""The entry point of clients: certificates, DNS records, firewalls."""
