"""Measurements, as commands: their figures land in the documents. Faults and attacks that are tried lie in tests."""
