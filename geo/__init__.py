"""Boundaries, projection and arrows: everything a map needs, without an outside request."""
