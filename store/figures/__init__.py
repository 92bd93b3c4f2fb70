"""Observations with the date on which each was known: vintages, editions, and publishers' answers as received."""
