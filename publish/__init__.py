"""Releases for readers outside the dashboard: the HTTP interface and maps. Reads ``store``, shows ``reports``."""
