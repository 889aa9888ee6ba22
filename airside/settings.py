"""Every setting, typed, with its unit and its reason. All are environment variables that begin with AIRSIDE_."""

import secrets
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from airside.runtime.private_files import as_private, make_folder


class Settings(BaseSettings):
    """The settings of one process. Start-up refuses with a sentence when one can't be used."""

    model_config = SettingsConfigDict(env_prefix="AIRSIDE_", extra="ignore")

    data: Path = Field(
        Path(".airside"), description="Folder for the SQLite file, uploads and the secret key."
    )
    database_url: str = Field(
        "",
        description="sqlite:///path or postgresql://user@host:port/name. Empty: airside.db in the data folder.",
    )
    database_pool: int = Field(
        10,
        ge=2,
        le=1_000,
        description="Connections to PostgreSQL that this process may have; all processes share max_connections.",
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="The origin that people and apps use, without a trailing slash."
    )
    secret_key: str = Field(
        "", description="Seals stored secrets and signs sessions. Empty: made once, kept in the data folder."
    )
    previous_secret_keys: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Keys that were AIRSIDE_SECRET_KEY, separated by commas, until `airside key reseal` is done.",
    )
    webhook_allowed_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Hosts and CIDRs, separated by commas, that webhooks may reach although they are private.",
    )
    api_rate_limit: str = Field(
        "60/minute",
        description="Requests of an installation's bot, of a person in one app, and of a person's API keys,"
        " over all processes, as N/second|minute|hour.",
    )
    token_rate_limit: str = Field(
        "300/minute",
        description="Tokens that one client may be issued, over all processes, as N/second|minute|hour.",
    )
    access_token_seconds: int = Field(
        86_400,
        ge=1,
        le=31_536_000,
        description="Seconds that an app's access token is good for; Plane's are a day.",
    )
    refresh_grace_seconds: int = Field(
        60,
        ge=0,
        le=1_800,
        description="Seconds for which the answer to a refresh can be asked for again, in case it got lost.",
    )
    refresh_idle_days: int = Field(
        90, ge=1, le=3_650, description="Days after which a refresh token that wasn't used ends."
    )
    refresh_longest_days: int = Field(
        365, ge=1, le=3_650, description="Days after a person's consent when its tokens end, used or not."
    )
    dynamic_client_registration: bool = Field(
        False, description="Whether any client may register itself (RFC 7591): on or off."
    )
    client_id_metadata_documents: bool = Field(
        False, description="Whether a client's id may be the https URL of a document about it: on or off."
    )
    client_id_metadata_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["*"],
        description="Hosts whose such documents are taken; * stands for any part.",
    )
    registration_redirect_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["127.0.0.1", "::1", "localhost", "*:"],
        description="Hosts, or schemes with their colon, that clients which nobody registered may redirect to;"
        " * stands for any part, *: for every scheme of an app's own.",
    )
    registration_max_clients: int = Field(
        1_000, ge=0, description="Clients that may be known without anybody having registered them."
    )
    registration_rate_limit: str = Field(
        "20/hour", description="Registrations of clients from one address, as N/second|minute|hour."
    )
    agent_runs_per_minute: int = Field(
        60, ge=1, description="Runs that one agent of a workspace may be given in a minute; more are refused."
    )
    agent_depth_limit: int = Field(
        3, ge=0, le=100, description="How many agents may ask one another in a row, after a person's first."
    )
    worker: bool = Field(
        True, description="Whether `airside serve` also delivers webhooks, as one process should."
    )
    queue_url: str = Field(
        "",
        description="nats://host:port[,…]: NATS JetStream hands deliveries to workers. Empty: the database does.",
    )
    queue_name: str = Field(
        "airside",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="The stream in NATS; instances that share a NATS each need their own.",
    )
    marketplace_public: bool = Field(
        False,
        description="Whether people who aren't signed in may look around in the marketplace: on or off.",
    )
    workspace_creation: Literal["everybody", "operators"] = Field(
        "everybody", description="Who may make workspaces: everybody who can sign in, or operators only."
    )
    metrics_token: str = Field(
        "", description="Who sends it as a bearer token may read /metrics, wherever they are."
    )
    metrics_networks: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["127.0.0.0/8", "::1/128"],
        description="CIDRs that may read /metrics while there is no token for it.",
    )
    request_seconds: int = Field(
        30,
        ge=1,
        le=3_600,
        description="Seconds in which a client must have sent a request; a fast body may take longer.",
    )
    max_connections: int = Field(
        0,
        ge=0,
        description="Connections of clients at once. 0: half of the descriptors, up to 10,000.",
    )
    debug: bool = Field(False, description="Whether /styleguide shows every part that pages are made of.")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="CIDRs of proxies whose X-Forwarded-For is believed. Empty: none."
    )

    @field_validator(
        "previous_secret_keys",
        "webhook_allowed_hosts",
        "trusted_proxies",
        "metrics_networks",
        "client_id_metadata_hosts",
        "registration_redirect_hosts",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("api_rate_limit", "token_rate_limit", "registration_rate_limit")
    @classmethod
    def _check_rate(cls, value: str) -> str:
        from limits import parse  # only where one is set: it is slow to import

        parse(value)  # ValueError says what is wrong with it
        return value

    @field_validator("queue_url")
    @classmethod
    def _check_queue_url(cls, value: str) -> str:
        if not value:
            return value
        if not all(one.startswith(("nats://", "tls://")) for one in value.split(",")):
            raise ValueError("must start with nats:// or tls://")
        if find_spec("nats") is None:
            raise ValueError("needs the package nats-py: pip install 'airside[nats]'")
        return value

    @field_validator("trusted_proxies", "metrics_networks")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        for proxy in value:
            ip_network(proxy, strict=False)  # ValueError says what is wrong with it
        return value

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data.absolute() / 'airside.db'}"

    @property
    def database_file(self) -> Path | None:
        """None on PostgreSQL."""
        path = self.database.removeprefix("sqlite:///")
        return None if path == self.database else Path(path)

    @property
    def access_lifetime(self) -> timedelta:
        return timedelta(seconds=self.access_token_seconds)

    @property
    def refresh_idle(self) -> timedelta:
        return timedelta(days=self.refresh_idle_days)

    @property
    def refresh_longest(self) -> timedelta:
        return timedelta(days=self.refresh_longest_days)

    @property
    def refresh_grace(self) -> timedelta:
        return timedelta(seconds=self.refresh_grace_seconds)

    @property
    def origin(self) -> str:
        return self.base_url.rstrip("/")


def load_settings() -> Settings:
    """Read the environment and make sure that the data folder and the secret key are there.

    pydantic.ValidationError says which setting can't be used."""
    settings = Settings()  # pyright: ignore[reportCallIssue] - the fields' defaults are in Field()
    make_folder(settings.data)
    if not settings.secret_key:
        settings.secret_key = _keep_secret_key(settings.data / "secret.key")
    return settings


def _keep_secret_key(path: Path) -> str:
    """The key in the file, made there first when there is none; two processes starting at once agree."""
    try:
        with open(path, "x", opener=as_private) as file:
            file.write(key := secrets.token_hex(32))
    except FileExistsError:
        return path.read_text().strip()
    return key
