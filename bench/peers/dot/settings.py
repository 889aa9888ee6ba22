"""Settings of the peer: what its documentation asks for, and nothing that would slow it down."""

import os
from typing import Any
from urllib.parse import urlsplit


def database_settings(url: str) -> dict[str, Any]:
    """The database of a URL, with connections kept open and commits as durable as Airside's."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": parts.path[1:],  # sqlite:////absolute/path
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username or "postgres",
        "PASSWORD": parts.password or "",
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": parts.port or 5432,
        "CONN_MAX_AGE": None,
    }


DEBUG = False
SECRET_KEY = "only for measuring on this machine; nothing is signed with it"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {"default": database_settings(os.environ["BENCH_DATABASE_URL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "dot.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "oauth2_provider",
    "rest_framework",
    "dot",
]

# Sessions, CSRF and messages serve browsers; an API needs none. CommonMiddleware
# sets Content-Length, so that an answer leaves in one piece.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]

OAUTH2_PROVIDER = {
    "SCOPES": {"read": "Read everything", "write": "Change everything"},
    "ACCESS_TOKEN_EXPIRE_SECONDS": 86400,
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["oauth2_provider.contrib.rest_framework.OAuth2Authentication"],
    "DEFAULT_PERMISSION_CLASSES": ["oauth2_provider.contrib.rest_framework.TokenHasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}

LOGGING = {"version": 1, "disable_existing_loggers": True}
