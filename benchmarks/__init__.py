"""Measurements, as commands: their figures land in the documents. Faults that are tried lie in tests."""
