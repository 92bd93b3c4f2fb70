"""Measurements, as commands: their figures land in the documents."""
