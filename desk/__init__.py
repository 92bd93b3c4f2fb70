"""The duty desk: what people decide about alerts, and what then leaves the house.

Composes the pure rooms (``alerts``) with the store; used by the dashboard, the command line and the night.
"""
