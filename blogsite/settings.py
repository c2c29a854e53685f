"""Django's settings, read from the environment (and `.env`); everything runs with nothing set.

`.env.example` lists the variables.
"""

import os
import socket
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

from blogsite.private_sqlite import PrivateConnection
from blogsite.secret_key import read_or_make_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(env.str("ENV_FILE", str(BASE_DIR / ".env")))

# --- The machine -------------------------------------------------------------------------------

DATA_DIR = (BASE_DIR / env.str("DATA_DIR", "var")).absolute()
RUN_DIR = DATA_DIR / "run"
PORT = env.int("PORT", 8000)

# --- Django ------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "") or read_or_make_secret_key(DATA_DIR / "secret_key")
SITE_URL = env.str("SITE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
SITE_NAME = env.str("SITE_NAME", "blogsite")
SITE_HOST = urlsplit(SITE_URL).hostname or "localhost"
ALLOWED_HOSTS = [
    SITE_HOST,
    "localhost",
    "127.0.0.1",
    "[::1]",
    *env.list("ALLOWED_HOSTS", default=[]),
]
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "blogsite",
    "deployhooks",
    "posts",
    "django_q",
    "axes",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "deployhooks.middleware.any_host_for_webhooks",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "blogsite.static_files.StaticFilesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "posts.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "posts.middleware.redirect_moved",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "blogsite.urls"
WSGI_APPLICATION = "blogsite.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Ten wrong passwords from one address, and it waits for a quarter of an hour. No row is written for
# an address that waits, and those of the last quarter are deleted with the next attempt.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_DISABLE_ACCESS_LOG = True
AXES_LOCKOUT_PARAMETERS = ["ip_address"]
AXES_CLIENT_IP_CALLABLE = "deployhooks.clients.read_network"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "429.html"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = env.str("LANGUAGE_CODE", "en")
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

# --- HTTPS: SITE_URL decides -------------------------------------------------------------------

IS_HTTPS = SITE_URL.startswith("https://")
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
# Only for this host: a neighbour below the same domain may well have no certificate.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SECURE = IS_HTTPS
X_FRAME_OPTIONS = "DENY"
# GitHub follows no redirect, and gunicorn is reached without TLS for health checks.
SECURE_REDIRECT_EXEMPT = [r"^hooks/", r"^healthz$"]

# Posts may show pictures and films from elsewhere; nothing else comes from there, and no script or
# style stands in a page itself.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "http:", "https:"],
        "media-src": [SELF, "http:", "https:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Database ----------------------------------------------------------------------------------

EMBEDDED_DATABASE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": DATA_DIR / "db.sqlite3",
    # A file: threads of a test share it as processes do, which memory does not allow.
    "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
}
DATABASES = {"default": env.db_url("DATABASE_URL") if "DATABASE_URL" in env else EMBEDDED_DATABASE}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["NAME"] = BASE_DIR / DATABASES["default"]["NAME"]
    # Web workers and the queue write at once: WAL, writers that queue up from BEGIN on, and full
    # sync, because a delivery that was answered with 2xx must survive a power cut. Connections
    # stay open: who closes the last one removes the log, and the next writer syncs two files. Of
    # a log that grew 16 MiB are kept.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;"
        ),
        "factory": PrivateConnection,
    }
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
    # Below the ten seconds in which GitHub wants an answer, an unreachable database told as well;
    # a server whose machine has gone without a word is noticed within a minute.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }

# --- Static files ------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Webhook and deploys -----------------------------------------------------------------------

GITHUB_WEBHOOK_SECRET_FILE = BASE_DIR / env.str("GITHUB_WEBHOOK_SECRET_FILE", "secret.txt")
GITHUB_WEBHOOK_SECRET = env.str("GITHUB_WEBHOOK_SECRET", "")
DEPLOY_CHECKOUT = (BASE_DIR / env.str("DEPLOY_CHECKOUT", ".")).absolute()
DEPLOY_REMOTE = env.str("DEPLOY_REMOTE", "origin")
DEPLOY_BRANCH = env.str("DEPLOY_BRANCH", "")
DEPLOY_REPOSITORY = env.str("DEPLOY_REPOSITORY", "")
DEPLOY_TIMEOUT = env.int("DEPLOY_TIMEOUT", 540)
DEPLOY_RETRY = env.int("DEPLOY_RETRY", 120)
# Seconds before the second attempt of a deploy whose process died; three times as many before the
# next.
DEPLOY_ATTEMPT_PAUSE = 5
# Seconds between two questions to the remotes whether they are ahead (0: never), and what a
# delivery gets to arrive before the branch is deployed without it.
DEPLOY_DRIFT_INTERVAL = env.int("DEPLOY_DRIFT_INTERVAL", 300)
DEPLOY_DRIFT_GRACE = env.int("DEPLOY_DRIFT_GRACE", 60)
DEPLOY_PREFLIGHT_TIMEOUT = env.int("DEPLOY_PREFLIGHT_TIMEOUT", 120)
DEPLOY_HOST = env.str("DEPLOY_HOST", "") or socket.gethostname()
DEPLOY_PYTHON = sys.executable
# By which the new version, started from another folder, finds this site's state.
DEPLOY_ENVIRONMENT = {
    "ENV_FILE": env.str("ENV_FILE", str(BASE_DIR / ".env")),
    "DATA_DIR": str(DATA_DIR),
    "DEPLOY_CHECKOUT": str(DEPLOY_CHECKOUT),
    "GITHUB_WEBHOOK_SECRET_FILE": str(GITHUB_WEBHOOK_SECRET_FILE),
}
DEPLOY_STEPS = [
    "deployhooks.steps.fetch.fetch",
    "deployhooks.steps.preflight.preflight",
    "deployhooks.steps.migrate.migrate",
    "deployhooks.steps.collectstatic.collectstatic",
    "deployhooks.steps.pull.pull",
    "deployhooks.steps.submodules.submodules",
    "posts.deploy.index_posts",
    "deployhooks.steps.reload.reload",
]

Q_CLUSTER = {
    "name": "blogsite",
    "orm": "default",
    "workers": 1,
    "queue_limit": 1,
    "bulk": 1,
    "poll": 0.2,
    # The deploy's own deadline comes first, then the time to put back, then the queue's, and only
    # long after that does the broker hand a task out again: up to three wait in a worker with
    # their clock running.
    "timeout": DEPLOY_TIMEOUT + 240,
    "retry": 3 * (DEPLOY_TIMEOUT + 240) + 100,
    "ack_failures": True,
    "max_attempts": 1,
    "recycle": 500,
    "guard_cycle": 0.5,
    "save_limit": 100,
    "catch_up": False,
    "label": "Queue",
    "ALT_CLUSTERS": {},
}

# --- Blog --------------------------------------------------------------------------------------

# Set by `manage.py preview`: drafts are shown too, and pages refresh themselves.
POSTS_PREVIEW = env.bool("POSTS_PREVIEW", False)
POSTS_DIR = (BASE_DIR / env.str("POSTS_DIR", "content")).absolute()
# Made anew when they are missing.
THUMBNAILS_DIR = DATA_DIR / "thumbnails"
DEPLOY_ENVIRONMENT["POSTS_DIR"] = str(POSTS_DIR)
# A submodule that lies here holds no code: what changes in it needs no trial.
DEPLOY_CONTENT = [POSTS_DIR]
# Addresses of repositories that the content may have as submodules.
DEPLOY_CONTENT_SUBMODULES = env.list("DEPLOY_CONTENT_SUBMODULES", default=[])

# --- Logging -----------------------------------------------------------------------------------

# Without secrets as well: pages of errors with DEBUG, and e-mails where somebody sets ADMINS.
DEFAULT_EXCEPTION_REPORTER = "deployhooks.reporting.CleanReporter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "deployhooks.redaction.CleanFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
