"""Faults of a night: what is left of releases, journal and figures when something goes wrong in the middle of one?"""
