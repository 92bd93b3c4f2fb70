"""What became of a file that was read into the vintages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ingested:
    """What became of one file.

    Attributes:
        source_id: The source it belongs to.
        file: Its name.
        sha256: Hash of its bytes.
        rows: Observations in it.
        new_rows: Those that told something new.
        rejected: Rows set aside with the rule they broke.
    """

    source_id: str
    file: str
    sha256: str
    rows: int
    new_rows: int
    rejected: int

    def summary(self) -> str:
        """One line for a person."""
        aside = f"; {self.rejected:,} rows set aside" if self.rejected else ""
        return f"{self.source_id}: {self.file} read, {self.rows:,} figures, {self.new_rows:,} new{aside}"
