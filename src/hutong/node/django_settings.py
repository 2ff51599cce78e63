"""Django's settings, derived from the node's. Nothing here is for an operator to edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from hutong.node import settings as node_settings

NODE = node_settings.current()
PACKAGE = Path(__file__).resolve().parent.parent
CONNECTIONS = 90  # of one process to PostgreSQL, whose own default is 100
CONNECTION_WITHIN_S = 10.0


def _database(url: str) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(NODE.home / "node.db"),
            "OPTIONS": {
                # A writer takes its lock at BEGIN, so that two writers queue instead of failing half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: a committed record survives a power cut; WAL: readers never wait for the writer.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise node_settings.BadSetting(
            name="database_url", reason="begins with postgresql://", reason_zh="应以 postgresql:// 开头"
        )
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", "")) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        # Each request runs in a thread of its own, so it gives its connection back for the next one: to begin anew
        # would cost each page more than its statements do.
        "OPTIONS": {"pool": {"min_size": 0, "max_size": CONNECTIONS, "timeout": CONNECTION_WITHIN_S}},
        "CONN_HEALTH_CHECKS": True,
    }


def _secret_key() -> str:
    file = NODE.keys_folder / "django.secret"
    return file.read_text(encoding="ascii").strip() if file.exists() else "unset: run hutong init"


SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = ["*"]  # the node's own server checks the target URI of every signed message
DATABASES = {"default": _database(NODE.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "hutong.ledger",
    "hutong.node",
    "hutong.exchange",
    "hutong.control.identity",
    "hutong.control.organisations",
    "hutong.control.calendar",
    "hutong.control.catalogue",
    "hutong.control.requests",
    "hutong.control.agreements",
    "hutong.control.replies",
    "hutong.control.zones",
    "hutong.control.statute",
    "hutong.control.clocks",
    "hutong.control.notices",
    "hutong.control.standards",
    "hutong.control.demands",
    "hutong.control.corrections",
    "hutong.control.conduct",
    "hutong.control.offerings",
    "hutong.control.returns",
    "hutong.control.disputes",
    "hutong.control.subscriptions",
    "hutong.control.metering",
    "hutong.control.oversight",
    "hutong.portal",
]
AUTH_USER_MODEL = "identity.Account"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "hutong.node.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]
LANGUAGE_CODE = NODE.language
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "portal" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["hutong.portal.formats"]
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
STATIC_URL = "/static/"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_NAME = f"hutong_{NODE.jurisdiction}"  # cookies ignore ports: one name per node on one host
CSRF_COOKIE_NAME = f"hutong_csrf_{NODE.jurisdiction}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = NODE.portal_url.startswith("https://")
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_TRUSTED_ORIGINS = [NODE.portal_url]
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SECURE_HSTS_SECONDS = 0  # the node's own server sends it, with the other security headers
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "hutong.node.logs.Lines"}, "json": {"()": "hutong.node.logs.JsonLines"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": NODE.log_format or "line"}},
    # Django's own errors come with their text, and with the request: they are told by the same rule as ours.
    "loggers": {
        "hutong": {"handlers": ["console"], "level": "INFO"},
        "django": {"handlers": ["console"], "level": "WARNING"},
    },
}
