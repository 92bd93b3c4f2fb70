"""How Vigie is run: what a fit may take, how long releases are kept, when a release counts as old."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class OperationSettings(BaseModel):
    """What the people who run Vigie set; see docs/operations.md."""

    model_config = ConfigDict(extra="forbid")
    fit_seconds: float = Field(default=120, gt=0, description="Longest time of one fit of a night; then it is cut off")
    fit_megabytes: int = Field(default=2048, ge=64, description="Most memory of one fit, beyond its process's own")
    keep_nights: int = Field(
        default=92, ge=2, description="Newest releases that are kept whole; the last of each month stays for good"
    )
    stale_hours: float = Field(
        default=36, gt=0, description="Age of the newest release from which Vigie is not healthy"
    )
