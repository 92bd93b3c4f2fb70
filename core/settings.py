"""Settings: the environment (``VIGIE_…``), then ``settings.toml`` in the home folder, then defaults."""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.access_settings import AccessSettings, is_safe_address
from core.delivery_settings import DeliverySettings
from core.errors import InputError
from core.operation_settings import OperationSettings
from core.store_settings import StoreSettings

PROJECT = Path(__file__).resolve().parent.parent
SNAPSHOT = PROJECT / "data"
DEMONSTRATION_DATE = dt.date(2025, 1, 31)
"""Newest month's end on which the bundled figures of every arrival route were fresh; a test holds it to that."""
NIGHT_BEFORE_DEMONSTRATION = dt.date(2024, 12, 31)
"""Replayed first, so that the demonstration can say what changed since."""


class AlertSettings(BaseModel):
    """What alerts are measured against."""

    model_config = ConfigDict(extra="forbid")
    thresholds: dict[str, float] = Field(default_factory=dict, description="Monthly capacity per route_id, persons")
    surge_factor: float = Field(default=1.5, gt=1, description="Multiple of the trailing 12-month mean")
    surge_minimum: float = Field(default=100, ge=0, description="Smallest trailing mean for which a surge is meant")
    fall_factor: float = Field(default=0.5, gt=0, lt=1, description="Fraction of the trailing 12-month mean")
    cost_loss_ratio: float = Field(
        default=1 / 3, gt=0, le=100, description="What a false alarm costs, where a missed event costs 1"
    )
    trained_until: str = Field(
        default="",
        pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$",
        description="Last origin (month) that alerts learn their cut-offs from; empty: the first 40 % of past origins",
    )


class LiveSettings(BaseModel):
    """How publishers are asked for their figures; what is asked of whom stands in ``data/live.toml``."""

    model_config = ConfigDict(extra="forbid")
    connect_seconds: float = Field(default=15, gt=0, description="Longest wait for a connection")
    read_seconds: float = Field(default=60, gt=0, description="Longest silence while an answer arrives")
    total_seconds: float = Field(default=600, gt=0, description="Longest time for one answer, however it trickles")
    largest_megabytes: float = Field(default=300, gt=0, description="Largest answer, unpacked")
    attempts: int = Field(default=4, ge=1, le=20, description="Tries per request")
    first_wait_seconds: float = Field(
        default=2, ge=0, description="Wait before the second try; it doubles, with jitter"
    )
    longest_wait_seconds: float = Field(default=120, ge=0, description="Longest wait that a publisher may ask for")
    keep_months: int = Field(default=24, ge=1, description="Months for which publishers' answers are kept as they came")
    parallel: int = Field(default=4, ge=1, le=16, description="Sources asked at once; one request per host at a time")
    user_agent: str = Field(default="Vigie/0.1 (open software; forecasts of migration flows)", min_length=1)
    browser_agent: str = Field(
        default="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        min_length=1,
        description="Sent only to sources whose entry in data/live.toml says agent = 'browser'",
    )
    sources: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Fields of data/live.toml to change, by source_id: addresses, options, …"
    )


class Settings(BaseModel):
    """Everything a person may set; each field has a default that works from the bundled snapshot."""

    model_config = ConfigDict(extra="forbid")
    journal_url: str = Field(default="", description="SQLAlchemy URL; empty: SQLite in the home folder")
    exclude_sources: list[str] = Field(default_factory=list, description="source_id left out of every release")
    trajectories: int = Field(default=1000, ge=100, le=10_000)
    backtest_origins: int = Field(default=60, ge=24, description="Monthly origins for the fast models")
    slow_backtest_origins: int = Field(24, ge=12, description="Monthly origins for Prophet and the structural model")
    oldest_origin_months: int = Field(
        6, ge=1, description="A route whose data are older gets no forecast of the present"
    )
    alerts: AlertSettings = AlertSettings()
    live: LiveSettings = LiveSettings()
    dashboard_url: str = Field(
        default="http://127.0.0.1:8501", pattern=r"^https?://\S+$", description="Where messages link to"
    )
    delivery: DeliverySettings = DeliverySettings()
    operation: OperationSettings = OperationSettings()
    access: AccessSettings = AccessSettings()
    store: StoreSettings = StoreSettings()

    @model_validator(mode="after")
    def _login_is_safe(self) -> Settings:
        if self.access.is_on and not is_safe_address(self.dashboard_url):
            raise ValueError("with login, dashboard_url must begin with https:// (http:// on loopback only)")
        return self


def home_folder(option: Path | None = None) -> Path:
    """The folder that holds vintages, releases and the journal: option, else VIGIE_HOME, else ./var."""
    return (option or Path(os.environ.get("VIGIE_HOME") or "var")).expanduser().resolve()


def load_settings(home: Path) -> Settings:
    """Read ``settings.toml`` of a home folder; ``VIGIE_JOURNAL_URL`` and ``VIGIE_STORE_URL`` override addresses.

    Raises:
        InputError: The file is not TOML, or a setting is unknown or out of range.
    """
    path = home / "settings.toml"
    values: dict[str, Any] = {}
    if path.exists():
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path.name}: not readable as TOML: {error}") from None
    if url := os.environ.get("VIGIE_JOURNAL_URL"):
        values["journal_url"] = url
    if url := os.environ.get("VIGIE_STORE_URL"):
        values["store"] = {**values.get("store", {}), "url": url}
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "dashboard_url"
        raise InputError(f"{path.name}, setting {where}: {first['msg']}") from None
