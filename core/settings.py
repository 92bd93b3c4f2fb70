"""All settings: the environment (``VIGIE_…``), then ``settings.toml`` in the home folder, then defaults.

A variable is ``VIGIE_`` and the setting's name, with its section before it: ``VIGIE_JOURNAL_URL``, ``VIGIE_STORE_URL``,
``VIGIE_LIVE_ATTEMPTS``. ``docs/access.md`` and ``docs/alerts.md`` show the sections ``[access]`` and ``[delivery]``.

Secrets come from the environment alone, for example ``VIGIE_OIDC_CLIENT_SECRET`` and ``VIGIE_COOKIE_SECRET``. Without
``access.provider`` there is no login, and the dashboard serves this machine alone.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from core.errors import InputError
from core.languages import DEFAULT_LANGUAGE
from core.routes import DEFAULT_REGION, REGIONS, ROUTES, find_route, is_own, read_text, toml_of, use_own_corridors

PROJECT = Path(__file__).resolve().parent.parent
SNAPSHOT = PROJECT / "data"
DEMONSTRATION_DATE = dt.date(2025, 1, 31)
"""Newest month's end on which the bundled figures of every arrival route were fresh; a test holds it to that."""
NIGHT_BEFORE_DEMONSTRATION = dt.date(2024, 12, 31)
"""Published first, so that the demonstration can say what changed since."""
DEMONSTRATIONS = {
    DEFAULT_REGION: (NIGHT_BEFORE_DEMONSTRATION, DEMONSTRATION_DATE),
    "americas": (dt.date(2024, 10, 31), dt.date(2024, 11, 30)),
    "horn_of_africa": (dt.date(2024, 7, 31), dt.date(2024, 8, 31)),
}
"""By region: the night before, and the night that a demonstration shows. That of the Americas lies before the collapse
of 2025, which no model foresaw."""
DRILL = "drill.json"
"""File of a home folder that was restored and not put in service: while it is there the home is cut off."""
NEWEST_BUNDLED_NIGHT = dt.date(2026, 8, 31)
"""Newest night of the bundled figures: the Central Mediterranean and the Channel are fresh, the others are gaps."""
FEED = "published"
"""Channel and subscription that always exist: the files for machines in ``published/``."""
SHORTEST_COOKIE_SECRET = 32
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*://.*)?")
_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")
_NAMED_SENDER = re.compile(rf"[^<>\r\n]*<{_ADDRESS.pattern}>|{_ADDRESS.pattern}")
Level = Literal["watch", "warning", "severe"]
Event = Literal["raised", "updated", "ended", "withdrawn", "freshness"]
Role = Literal["viewer", "analyst", "manager", "administrator"]


def secret(variable: str, *, shortest: int = 1, needed_by: str = "") -> str:
    """A secret from the environment; no error text ever holds its value.

    Raises:
        InputError: It is not set, or too short to be safe.
    """
    value = os.environ.get(variable, "")
    if not value:
        why = f": {needed_by} needs it" if needed_by else ""
        raise InputError(f"environment variable {variable} is not set{why}")
    if len(value) < shortest:
        raise InputError(f"environment variable {variable} is shorter than {shortest} characters: make a longer one")
    return value


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine alone."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def address_of(host: str, port: int) -> str:
    """Where a server of ours is found by a browser: ``http://[::1]:8501``."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_safe_address(url: str) -> bool:
    """Whether an address is https, or http on loopback."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    )


class _Numbers(BaseModel):
    """TOML's true and false are no numbers: as one, ``fit_seconds = true`` would cut every fit off."""

    @model_validator(mode="before")
    @classmethod
    def _are_numbers(cls, given: object) -> object:
        for name, value in given.items() if isinstance(given, dict) else ():
            if (
                isinstance(value, bool)
                and name in cls.model_fields
                and cls.model_fields[name].annotation in {int, float}
            ):
                raise ValueError(f"{name}: a number is meant, not true or false")
        return given


class _Section(_Numbers):
    """A table of ``settings.toml``: a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


def _route_id(named: str) -> str:
    """The code of a route that a setting names, in any language; an own route and a single series stand as they are."""
    try:
        return named if is_own(named) or named.count(".") == 4 else find_route(named, ROUTES)
    except InputError as error:
        raise ValueError(str(error)) from None


class AlertSettings(_Section):
    """What alerts are measured against.

    Attributes:
        thresholds: Monthly capacity per route, by code or name in any language, persons.
        surge_factor: Multiple of the trailing 12-month mean.
        surge_minimum: Smallest trailing mean for which a surge is meant.
        fall_factor: Fraction of the trailing 12-month mean.
        cost_loss_ratio: What a false alarm costs, where a missed event costs 1.
        trained_until: Last origin (month) that alerts learn their cut-offs from; empty: the first 40 % of past
            origins.
    """

    thresholds: dict[str, Annotated[float, Field(strict=True, ge=0)]] = Field(default_factory=dict)
    surge_factor: float = Field(default=1.5, gt=1)
    surge_minimum: float = Field(default=100, ge=0)
    fall_factor: float = Field(default=0.5, gt=0, lt=1)
    cost_loss_ratio: float = Field(default=1 / 3, gt=0, le=100)
    trained_until: str = Field(default="", pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$")

    @field_validator("thresholds")
    @classmethod
    def _by_code(cls, given: dict[str, float]) -> dict[str, float]:
        found = {_route_id(named): number for named, number in given.items()}
        if len(found) < len(given):
            raise ValueError(f"one route has two numbers: {', '.join(given)}")
        return found


class LiveSettings(_Section):
    """How publishers are asked for their figures; what is asked of whom stands in each source's module.

    Attributes:
        connect_seconds: Longest wait for a connection.
        read_seconds: Longest silence while an answer arrives.
        total_seconds: Longest time for one answer, however it trickles.
        largest_megabytes: Largest answer, unpacked.
        attempts: Tries per request.
        first_wait_seconds: Wait before the second try; it doubles, with jitter.
        longest_wait_seconds: Longest wait that a publisher may ask for.
        keep_months: Months for which publishers' answers are kept as they came.
        parallel: Sources asked at once; one request per host at a time.
        browser_agent: Sent only to sources whose card says agent = 'browser'.
        sources: Fields of a source's access to change, by source_id: addresses, options and others.
    """

    connect_seconds: float = Field(default=15, gt=0)
    read_seconds: float = Field(default=60, gt=0)
    total_seconds: float = Field(default=600, gt=0)
    largest_megabytes: float = Field(default=300, gt=0)
    attempts: int = Field(default=4, ge=1, le=20)
    first_wait_seconds: float = Field(default=2, ge=0)
    longest_wait_seconds: float = Field(default=120, ge=0)
    keep_months: int = Field(default=24, ge=1)
    parallel: int = Field(default=4, ge=1, le=16)
    user_agent: str = Field(default="Vigie/1.0 (open software; forecasts of migration flows)", pattern=r"\S")
    browser_agent: str = Field(
        default="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        pattern=r"\S",
    )
    sources: dict[str, dict[str, Any]] = Field(default_factory=dict)


class OperationSettings(_Section):
    """What the people who run Vigie set; see docs/operations.md.

    Attributes:
        fit_seconds: Longest time of one fit of a night; then it is cut off.
        fit_megabytes: Most memory of one fit, beyond its process's own.
        keep_nights: Newest releases that are kept whole; the last of each month stays for good.
        stale_hours: Age of the newest release from which Vigie is not healthy.
        time_authority: Address of a time-stamp authority (RFC 3161); empty: none.
    """

    fit_seconds: float = Field(default=120, gt=0)
    fit_megabytes: int = Field(default=2048, ge=64)
    keep_nights: int = Field(default=92, ge=2)
    stale_hours: float = Field(default=36, gt=0)
    time_authority: str = Field(default="", pattern=r"^(https?://\S+)?$")


class HubSettings(_Section):
    """The forecast hub that every night collects from; see docs/hub.md.

    Attributes:
        place: Folder, Git checkout or fsspec address of the hub; empty: none.
    """

    place: str = ""


class StoreSettings(_Section):
    """The shared store; see docs/scaling.md. Credentials come from the environment alone.

    Attributes:
        url: s3://bucket/folder, file:///folder, …; empty: nothing is shared.
        poll_seconds: How often a dashboard looks for a new release.
    """

    url: str = ""
    poll_seconds: float = Field(default=60, ge=1)

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        if not _SCHEME.fullmatch(url):
            raise ValueError("not an address like s3://bucket/folder or file:///folder")
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query:
            raise ValueError("credentials do not stand in the address: give them in the environment")
        return url.rstrip("/") if parts.path.strip("/") or parts.netloc else url


class AccessSettings(_Section):
    """Login with OpenID Connect, roles, and how long a login holds.

    Attributes:
        provider: Address of the provider's discovery document; empty: no login.
        client_id: What the provider calls this dashboard.
        client_secret_env: Environment variable that holds the client secret.
        cookie_secret_env: Environment variable that holds the key of cookies.
        prompt: The prompt that the provider shows even with a login of its own.
        identity_claim: Claim kept as the person's name.
        roles_claim: Claim that holds roles or groups; dots lead inwards.
        claim_roles: Role per value of the claim; empty: the values are the roles' names.
        people: Roles per person, beside those of claims.
        session_minutes: Longest time from one login to the next.
        idle_minutes: A login ends after this time without use.
    """

    provider: str = ""
    client_id: str = ""
    client_secret_env: str = Field(default="VIGIE_OIDC_CLIENT_SECRET", min_length=1)
    cookie_secret_env: str = Field(default="VIGIE_COOKIE_SECRET", min_length=1)
    scope: str = Field(default="openid email profile", pattern=r"^openid(\s+\S+)*$")
    prompt: Literal["select_account", "login", "consent"] = "select_account"
    identity_claim: str = Field(default="email", min_length=1)
    roles_claim: str = "roles"
    claim_roles: dict[str, Role] = Field(default_factory=dict)
    people: dict[str, list[Role]] = Field(default_factory=dict)
    session_minutes: float = Field(default=480, gt=0, le=43_200)
    idle_minutes: float = Field(default=60, gt=0, le=43_200)

    @property
    def is_on(self) -> bool:
        """Whether people sign in."""
        return bool(self.provider)

    @model_validator(mode="after")
    def _is_whole(self) -> AccessSettings:
        if not self.provider:
            given = [name for name in ("client_id", "people", "claim_roles") if getattr(self, name)]
            if given:
                raise ValueError(f"{given[0]} is given without a provider: logins would be off")
            return self
        if not self.client_id:
            raise ValueError("provider and client_id go together")
        if not is_safe_address(self.provider):
            raise ValueError(f"provider '{self.provider}' must begin with https:// (http:// on loopback only)")
        return self


class LoadSettings(_Section):
    """How much may be asked of the dashboard at once; see docs/access.md.

    Attributes:
        page_messages_per_second: Messages of one open page, on average.
        page_messages_at_once: Messages of one open page in a burst.
        reader_messages_per_second: Messages of one person, or of one address without a login, on average.
        person_messages_at_once: Messages of one person in a burst.
        address_messages_at_once: Messages of one address without a login in a burst.
        reader_runs_at_once: Pages of one person, or of one address without a login, that are made at once.
    """

    page_messages_per_second: float = Field(default=2, gt=0)
    page_messages_at_once: int = Field(default=30, ge=1)
    reader_messages_per_second: float = Field(default=6, gt=0)
    person_messages_at_once: int = Field(default=60, ge=1)
    address_messages_at_once: int = Field(default=100, ge=1)
    reader_runs_at_once: int = Field(default=2, ge=1)


class _Channel(_Section):
    """What every channel has.

    Attributes:
        seconds: Longest time for one message.
    """

    seconds: float = Field(default=20, gt=0, le=120)


class EmailChannel(_Channel):
    """A mail server that takes messages.

    Attributes:
        sender: Such as ``Vigie <vigie@example.org>``.
        password_env: Name of the environment variable that holds the password.
    """

    kind: Literal["email"]
    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(min_length=3)
    user: str = ""
    password_env: str = ""

    @model_validator(mode="after")
    def _is_safe(self) -> EmailChannel:
        if not _NAMED_SENDER.fullmatch(self.sender):
            raise ValueError(f"sender '{self.sender}' is not a mail address")
        if bool(self.user) != bool(self.password_env):
            raise ValueError("user and password_env go together")
        if self.user and self.security == "none" and not is_loopback(self.host):
            raise ValueError("a password is not sent over an open line: set security to starttls or tls")
        return self


class WebhookChannel(_Channel):
    """An address that takes JSON by POST.

    Attributes:
        url_env: Environment variable that holds the address, where it is a secret.
        token_env: Environment variable that holds a bearer token.
    """

    kind: Literal["webhook"]
    url: str = ""
    url_env: str = ""
    token_env: str = ""

    @model_validator(mode="after")
    def _has_one_address(self) -> WebhookChannel:
        if bool(self.url) == bool(self.url_env):
            raise ValueError("a webhook has one address: give url or url_env")
        if self.url and not re.match(r"https?://", self.url):
            raise ValueError(f"url '{self.url}' does not begin with https:// or http://")
        if self.url and self.token_env and not is_safe_address(self.url):
            raise ValueError("a token is not sent over an open line: url must begin with https://")
        return self

    def address(self) -> str:
        """Where to post.

        Raises:
            InputError: The environment variable is not set, or a token would go over an open line.
        """
        found = self.url or secret(self.url_env)
        if self.token_env and not is_safe_address(found):
            raise InputError(f"{self.url_env}: a token is not sent over an open line: it must begin with https://")
        return found


class ChatChannel(_Channel):
    """A chat service, by its Apprise address (https://github.com/caronc/apprise/wiki), which holds its secrets.

    Attributes:
        url_env: Environment variable that holds the Apprise address.
    """

    kind: Literal["chat"]
    url_env: str = Field(min_length=1)


Channel = Annotated[EmailChannel | WebhookChannel | ChatChannel, Field(discriminator="kind")]


class Subscription(_Section):
    """Recipients, their subjects and their language.

    Attributes:
        to: Mail addresses; empty for webhooks and chats.
        routes: Codes or names of routes; empty: all.
    """

    name: str = Field(min_length=1)
    channel: str
    to: list[str] = Field(default_factory=list)
    routes: list[str] = Field(default_factory=list)
    levels: list[Level] = Field(default=["watch", "warning", "severe"], min_length=1)
    events: list[Event] = Field(default=["raised", "updated", "ended", "withdrawn"], min_length=1)
    language: str = Field(default=DEFAULT_LANGUAGE, pattern=r"[a-z]{2,3}")

    @model_validator(mode="after")
    def _is_known(self) -> Subscription:
        try:
            self.routes = [_route_id(named) for named in self.routes]
        except ValueError as error:
            raise ValueError(f"subscription '{self.name}': {error}") from None
        for address in self.to:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"subscription '{self.name}': '{address}' is not a mail address")
        return self

    def wants(self, kind: str, level: str, route_id: str) -> bool:
        """Whether an announcement of this kind is for its readers."""
        if kind not in self.events:
            return False
        return kind == "freshness" or (level in self.levels and (not self.routes or route_id in self.routes))


class DeliverySettings(_Section):
    """How alerts are sent.

    Attributes:
        silence_days: Quiet after a message about the same matter; severe passes.
        replays: Send what a replayed night says too, marked as an exercise.
        briefing: Attach the one-page briefing to mails that raise an alert.
        publisher: Sender in CAP messages.
        first_wait_seconds: Wait after a first failure; it doubles.
        give_up_days: Age at which a letter is no longer tried.
        longest_seconds: Longest time that sending takes from a night.
    """

    silence_days: float = Field(default=7, ge=0)
    replays: bool = False
    briefing: bool = True
    publisher: str = Field(default="vigie", pattern=r"^[^\s,<&]+$")
    first_wait_seconds: float = Field(default=60, ge=0)
    longest_wait_seconds: float = Field(default=6 * 3600, ge=0)
    give_up_days: float = Field(default=14, gt=0)
    longest_seconds: float = Field(default=120, gt=0)
    channels: dict[str, Channel] = Field(default_factory=dict)
    subscriptions: list[Subscription] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits(self) -> DeliverySettings:
        names = [one.name for one in self.subscriptions]
        if repeated := {name for name in names if names.count(name) > 1} | ({FEED} & {*names, *self.channels}):
            raise ValueError(f"the name '{min(repeated)}' is used twice")
        for one in self.subscriptions:
            if one.channel not in self.channels:
                raise ValueError(f"subscription '{one.name}': there is no channel '{one.channel}'")
            if bool(one.to) != isinstance(self.channels[one.channel], EmailChannel):
                raise ValueError(f"subscription '{one.name}': mail addresses in 'to' belong to channels of kind email")
        return self


class Settings(_Numbers, BaseSettings):
    """Everything a person may set; each field has a default that works from the bundled snapshot.

    Attributes:
        journal_url: SQLAlchemy URL; empty: SQLite in the home folder.
        exclude_sources: source_id left out of every release.
        regions: Regions whose corridors a release holds.
        backtest_origins: Monthly origins for the fast models.
        slow_backtest_origins: Monthly origins for Prophet, which is slow.
        pooled_model: Routes learn from all monthly counts too: minutes on the first night of a year.
        oldest_origin_months: A route whose data are older gets no forecast of the present.
        dashboard_url: Where messages link to.
        contact: Who answers for this copy, as About shows it: a name, a mail address or a URL.
        drill: Cut off: nothing is sent, shared, or written to a journal elsewhere.
    """

    model_config = SettingsConfigDict(
        extra="forbid", env_prefix="VIGIE_", env_nested_delimiter="_", env_nested_max_split=1, env_ignore_empty=True
    )
    journal_url: str = ""
    exclude_sources: list[str] = Field(default_factory=list)
    regions: list[str] = Field(default=[DEFAULT_REGION], min_length=1)
    trajectories: int = Field(default=1000, ge=100, le=10_000)
    backtest_origins: int = Field(default=60, ge=12)
    slow_backtest_origins: int = Field(default=24, ge=4)
    pooled_model: bool = True
    oldest_origin_months: int = Field(default=6, ge=1)
    alerts: AlertSettings = AlertSettings()
    live: LiveSettings = LiveSettings()
    dashboard_url: str = Field(default="http://127.0.0.1:8501", pattern=r"^https?://\S+$")
    contact: str = ""
    delivery: DeliverySettings = DeliverySettings()
    operation: OperationSettings = OperationSettings()
    access: AccessSettings = AccessSettings()
    load: LoadSettings = LoadSettings()
    store: StoreSettings = StoreSettings()
    hub: HubSettings = HubSettings()
    drill: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic-settings passes all five
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before what ``settings.toml`` says."""
        return env_settings, init_settings

    @field_validator("regions")
    @classmethod
    def _are_known(cls, regions: list[str]) -> list[str]:
        if unknown := [region for region in regions if region not in REGIONS]:
            raise ValueError(f"no region '{unknown[0]}'; known: {', '.join(REGIONS)}")
        return list(dict.fromkeys(regions))

    @model_validator(mode="after")
    def _login_is_safe(self) -> Settings:
        if self.access.is_on and not is_safe_address(self.dashboard_url):
            raise ValueError("with login, dashboard_url must begin with https:// (http:// on loopback only)")
        return self.cut_off() if self.drill else self

    def cut_off(self) -> Settings:
        """These settings as a drill has them, whatever file and environment say of drill, store and journal."""
        self.drill, self.journal_url, self.store = True, "", self.store.model_copy(update={"url": ""})
        self.operation = self.operation.model_copy(update={"time_authority": ""})
        return self


def home_folder(option: Path | None = None) -> Path:
    """The folder that holds vintages, releases and the journal: option, else VIGIE_HOME, else ./var.

    Raises:
        InputError: It is a file.
    """
    home = (option or Path(os.environ.get("VIGIE_HOME") or "var")).expanduser().resolve()
    if home.is_file():
        raise InputError(f"{home}: is a file, not a home folder (--home, VIGIE_HOME)")
    return home


def load_settings(home: Path, *, adopted: bool = False) -> Settings:
    """Read ``settings.toml`` of a home folder, with the environment over it; a drill is cut off whatever they say.

    The home's own corridors are taken into use first: settings may name its routes.

    Args:
        home: The home folder.
        adopted: As they will be once the home is in service, where it was restored.

    Raises:
        InputError: The file cannot be read or is not TOML, a setting is unknown or out of range, or the file of an own
            corridor is broken.
    """
    use_own_corridors(home)
    path = home / "settings.toml"
    text = read_text(path, path.name) if path.exists() else ""
    environment = tuple(sorted(item for item in os.environ.items() if item[0].upper().startswith("VIGIE_")))
    return _settings(path.name, text, environment, is_drill=not adopted and (home / DRILL).exists())


@lru_cache(maxsize=8)  # each run of a page asks several times
def _settings(name: str, text: str, environment: tuple[tuple[str, str], ...], *, is_drill: bool) -> Settings:
    """Settings of a file's text and the environment's variables of Vigie, both as they are now."""
    try:
        settings = Settings(**toml_of(text, name))
        return settings.cut_off() if is_drill else settings
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "dashboard_url"
        variable = "VIGIE_" + "_".join(str(part) for part in first["loc"][:2]).upper()
        told_by = f"environment variable {variable}" if variable in dict(environment) else name
        why = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise InputError(f"{told_by}, setting {where}: {why.removeprefix('Value error, ')}") from None
    except SettingsError as error:
        raise InputError(f"environment: {error}") from None
