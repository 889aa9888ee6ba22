"""Every setting, typed, with its unit and its reason. All are environment variables with the prefix AIRSIDE_."""

import secrets
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from airside.system.bucket_url import read_bucket_url
from airside.system.private_files import as_private, make_folder

# Variable → its earlier names, which keep working.
EARLIER = {
    "AIRSIDE_REFRESH_MAX_DAYS": ("AIRSIDE_REFRESH_LONGEST_DAYS",),
    "AIRSIDE_REQUEST_TIMEOUT_SECONDS": ("AIRSIDE_REQUEST_SECONDS",),
}
API = "/api/"
PREFIX_BEFORE_UPSTREAM = "/airside"  # of pages, where a Community Edition has the root of the origin
NO_PAGES = ("api", "auth", "healthz", "readyz", "metrics")  # first segments of paths that clients use


def _names_of(variable: str) -> AliasChoices:
    return AliasChoices(variable, *EARLIER[variable])


def page_url(prefix: str, path: str) -> str:
    """As `Settings.page_url`."""
    is_page = path.startswith("/") and not path.startswith(API)
    return prefix + path if is_page else path  # not formatted: it may be Markup


class Settings(BaseSettings):
    """The settings of one process. Start-up fails with a message when one is invalid."""

    model_config = SettingsConfigDict(env_prefix="AIRSIDE_", extra="ignore", validate_by_name=True)

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
        description="Connections to PostgreSQL of this process at most; all processes share max_connections.",
    )
    base_url: str = Field(
        "http://127.0.0.1:8000", description="Public origin of this instance, without a trailing slash."
    )
    pages_prefix: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$",
        description="Path below which the pages for people are, such as /airside, when another application has"
        " the root of the same origin. Empty: the root. With AIRSIDE_UPSTREAM_URL it is /airside unless it is set.",
    )
    secret_key: str = Field(
        "",
        description="Encrypts stored secrets, signs sessions. Empty: generated once, kept in the data folder.",
    )
    previous_secret_keys: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Earlier values of AIRSIDE_SECRET_KEY, comma-separated, until `airside key reseal` is done.",
    )
    webhook_allowed_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Private hosts and CIDRs, comma-separated, that webhooks may be sent to.",
    )
    api_rate_limit: str = Field(
        "60/minute",
        description="Rate limit of an installation's bot, of a person in one app, and of a person's API keys,"
        " over all processes, as N/second|minute|hour.",
    )
    token_rate_limit: str = Field(
        "300/minute",
        description="Rate limit of tokens issued to one client, over all processes, as N/second|minute|hour.",
    )
    access_token_seconds: int = Field(
        86_400,
        ge=1,
        le=31_536_000,
        description="Seconds after which an app's access token expires; a day in Plane.",
    )
    refresh_grace_seconds: int = Field(
        60,
        ge=0,
        le=1_800,
        description="Seconds in which a repeated refresh returns the same tokens, in case the response was lost.",
    )
    refresh_idle_days: int = Field(
        90, ge=1, le=3_650, description="Days without use after which a refresh token expires."
    )
    refresh_max_days: int = Field(
        365,
        ge=1,
        le=3_650,
        validation_alias=_names_of("AIRSIDE_REFRESH_MAX_DAYS"),
        description="Days after a person's consent at which its tokens expire, used or not.",
    )
    dynamic_client_registration: bool = Field(
        False, description="Dynamic client registration (RFC 7591) by any client: on or off."
    )
    client_id_metadata_documents: bool = Field(
        False, description="Client ids that are the https URL of a client metadata document: on or off."
    )
    client_id_metadata_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["*"],
        description="Hosts from which client metadata documents are accepted; * matches any part.",
    )
    registration_redirect_hosts: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["127.0.0.1", "::1", "localhost", "*:"],
        description="Hosts, or schemes with their colon, in the redirect URIs of self-registered clients;"
        " * matches any part, *: every private-use scheme.",
    )
    registration_max_clients: int = Field(
        1_000, ge=0, description="Self-registered clients at most, metadata documents included."
    )
    registration_rate_limit: str = Field(
        "20/hour", description="Rate limit of client registrations per address, as N/second|minute|hour."
    )
    agent_runs_per_minute: int = Field(
        60, ge=1, description="Runs per minute of one agent in a workspace; further runs are refused."
    )
    agent_depth_limit: int = Field(
        3,
        ge=0,
        le=100,
        description="How many times in a row agents may start runs of one another, after a person's first.",
    )
    worker: bool = Field(
        True, description="Whether `airside serve` also runs the worker, which at least one process must."
    )
    queue_url: str = Field(
        "",
        description="nats://host:port[,…] of NATS JetStream as the delivery queue. Empty: the database.",
    )
    queue_name: str = Field(
        "airside",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="Name of the NATS stream; each instance needs its own.",
    )
    storage_url: str = Field(
        "",
        description="s3://bucket/prefix?endpoint=…&region=… of the bucket that has uploaded files. Empty: the data"
        " folder.",
    )
    upstream_url: str = Field(
        "",
        description="Origin of a Plane Community Edition behind Airside, as https://plane.internal. Requests below"
        " /api/v1/ with a key of its own are forwarded to it. Empty: none.",
    )
    upstream_api: str = Field(
        "",
        description="Origin at which the Community Edition's API is reached from here, as http://api:8000. Empty:"
        " AIRSIDE_UPSTREAM_URL.",
    )
    upstream_proxy: str = Field(
        "",
        description="http://host:port of a proxy for requests to the Community Edition. Empty: none.",
    )
    upstream_mail_domain: str = Field(
        "apps.airside.invalid",
        pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$",
        description="Domain of the e-mail addresses of apps' accounts in the Community Edition; one without mail.",
    )
    upload_max_mb: int = Field(
        25, ge=1, le=5_000, description="Megabytes (of 1,048,576 bytes) of one attachment or workspace file."
    )
    workspace_files_mb: int = Field(
        10_240,
        ge=0,
        description="Megabytes of all attachments and files of a workspace; further ones are refused. 0: no limit.",
    )
    marketplace_public: bool = Field(
        False,
        description="Whether the marketplace can be browsed without signing in: on or off.",
    )
    workspace_creation: Literal["everybody", "operators"] = Field(
        "everybody", description="Who may create workspaces: everybody who can sign in, or operators only."
    )
    metrics_token: str = Field(
        "", description="Bearer token that permits reading /metrics, from any address."
    )
    metrics_networks: Annotated[list[str], NoDecode] = Field(
        default_factory=lambda: ["127.0.0.0/8", "::1/128"],
        description="CIDRs that may read /metrics when AIRSIDE_METRICS_TOKEN is empty.",
    )
    request_timeout_seconds: int = Field(
        30,
        ge=1,
        le=3_600,
        validation_alias=_names_of("AIRSIDE_REQUEST_TIMEOUT_SECONDS"),
        description="Timeout for receiving a request, in seconds; a fast body may take longer.",
    )
    max_connections: int = Field(
        0,
        ge=0,
        description="Concurrent client connections at most. 0: half of the file descriptors, up to 10,000.",
    )
    debug: bool = Field(False, description="Whether /styleguide shows all page components.")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list, description="CIDRs of proxies whose X-Forwarded-For is trusted. Empty: none."
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

    @field_validator("pages_prefix")
    @classmethod
    def _check_prefix(cls, value: str) -> str:
        if value[1:].partition("/")[0] in NO_PAGES:
            raise ValueError("is a path of the API, of OAuth or of a health check")
        return value

    @field_validator("api_rate_limit", "token_rate_limit", "registration_rate_limit")
    @classmethod
    def _check_rate(cls, value: str) -> str:
        from limits import parse  # only if one is set: it is slow to import

        parse(value)  # raises ValueError
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

    @field_validator("storage_url")
    @classmethod
    def _check_storage_url(cls, value: str) -> str:
        if not value:
            return value
        read_bucket_url(value)  # raises ValueError
        if find_spec("boto3") is None:
            raise ValueError("needs the package boto3: pip install 'airside[s3]'")
        return value

    @field_validator("upstream_url", "upstream_api", "upstream_proxy")
    @classmethod
    def _check_upstream_url(cls, value: str) -> str:
        parts = urlsplit(value)
        is_origin = parts.scheme in ("http", "https") and parts.hostname and parts.path in ("", "/")
        if value and (not is_origin or parts.query or parts.fragment or "@" in parts.netloc):
            raise ValueError("must be an origin, such as https://plane.internal")
        return value

    @model_validator(mode="after")
    def _leave_the_root(self) -> Self:
        """A Community Edition's own pages are there."""
        if self.upstream_url and "pages_prefix" not in self.model_fields_set:
            self.pages_prefix = PREFIX_BEFORE_UPSTREAM
        return self

    @field_validator("trusted_proxies", "metrics_networks")
    @classmethod
    def _check_networks(cls, value: list[str]) -> list[str]:
        for proxy in value:
            ip_network(proxy, strict=False)  # raises ValueError
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
    def refresh_max(self) -> timedelta:
        return timedelta(days=self.refresh_max_days)

    @property
    def refresh_grace(self) -> timedelta:
        return timedelta(seconds=self.refresh_grace_seconds)

    @property
    def upload_max_bytes(self) -> int:
        return self.upload_max_mb * 1024 * 1024

    @property
    def upstream_api_origin(self) -> str:
        return (self.upstream_api or self.upstream_url).rstrip("/")

    @property
    def upstream_pages(self) -> str:
        """The origin at which people see the Community Edition's pages; "" without one.

        Its session cookie belongs to one host, which Airside shares: where AIRSIDE_UPSTREAM_URL names another one,
        such as that of an internal network, people see both at AIRSIDE_BASE_URL."""
        is_shared = urlsplit(self.upstream_url).hostname == urlsplit(self.origin).hostname
        return (self.upstream_url.rstrip("/") if is_shared else self.origin) if self.upstream_url else ""

    def work_url(self, path: str) -> str:
        """The link to a page of projects and work items, which in front of a Community Edition are its own; for
        `page_url`, which changes no absolute URL."""
        return self.upstream_pages + path

    @property
    def origin(self) -> str:
        return self.base_url.rstrip("/")

    def page_url(self, path: str) -> str:
        """The link to a page, from its path without AIRSIDE_PAGES_PREFIX. Every link to a page is made here.

        Anything else stays as it is: an absolute URL, a query or a fragment, a path of the API."""
        return page_url(self.pages_prefix, path)

    def page_address(self, path: str) -> str:
        """The page's absolute URL, for what is shown elsewhere than on pages."""
        return self.origin + self.page_url(path)

    def page_path(self, url_path: str) -> str:
        """The reverse of `page_url`: the page's path without the prefix; "" when it is outside of the prefix."""
        below = url_path.removeprefix(self.pages_prefix)
        if self.pages_prefix and (below == url_path or below[:1] not in ("", "/", "?")):
            return ""
        return below or "/"


def load_settings() -> Settings:
    """Read the environment, and create the data folder and the secret key if they are missing.

    Raises pydantic.ValidationError, which names the invalid setting."""
    settings = Settings()  # pyright: ignore[reportCallIssue] - the fields' defaults are in Field()
    make_folder(settings.data)
    if not settings.secret_key:
        settings.secret_key = _keep_secret_key(settings.data / "secret.key")
    return settings


def _keep_secret_key(path: Path) -> str:
    """The key in the file, which is created if missing; processes that start at once get the same key."""
    try:
        with open(path, "x", opener=as_private) as file:
            file.write(key := secrets.token_hex(32))
    except FileExistsError:
        return path.read_text().strip()
    return key
