"""Measurements, as commands. Figures land in docs/benchmarks.md; nothing here is run by the tests."""
