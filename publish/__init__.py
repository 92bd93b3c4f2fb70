"""What Vigie publishes for readers outside the dashboard: the HTTP interface, maps, the public site."""
