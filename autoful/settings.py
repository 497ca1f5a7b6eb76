"""Autoful's settings, in one file. The environment decides everything that differs between machines.

Sections: where we stand · secrets · database · cache · applications · people · back office ·
the shop · web · API · audit · seen from outside · logs.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from autoful import environment

# --- Where we stand -------------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent
environment.read_env_file(BASE_DIR / ".env")

DATABASE_URL = environment.text("DATABASE_URL")
REDIS_URL = environment.redis("REDIS_URL")
PRODUCTION = bool(DATABASE_URL)
DEBUG = environment.switch("DEBUG", default=False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured(
        "DEBUG must be off when DATABASE_URL is set: it shows what is private."
    )
AUTOFUL_DATA = environment.folder("AUTOFUL_DATA", BASE_DIR / "var", make=not PRODUCTION)

ROOT_URLCONF = "autoful.urls"
WSGI_APPLICATION = "autoful.wsgi.application"

# --- Secrets --------------------------------------------------------------------------------------

SECRET_KEY = environment.text("SECRET_KEY")
if not PRODUCTION:
    # Made once and kept beside the data, so that sign-ins survive a restart.
    SECRET_KEY = SECRET_KEY or environment.kept_secret(AUTOFUL_DATA / "secret_key")
elif not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is required when DATABASE_URL is set. Make one with: python3 -c "
        "'import secrets; print(secrets.token_urlsafe(64))'"
    )
if len(SECRET_KEY) < 50:
    # It signs the tokens (HS256): a short one can be guessed offline from any token.
    raise ImproperlyConfigured("SECRET_KEY must have at least 50 characters.")

# --- Database -------------------------------------------------------------------------------------

DATABASE_REPLICA_URL = environment.text("DATABASE_REPLICA_URL")
if DATABASE_REPLICA_URL and not PRODUCTION:
    raise ImproperlyConfigured("DATABASE_REPLICA_URL names a copy of DATABASE_URL's database.")
if PRODUCTION:
    DATABASES: dict[str, dict[str, Any]] = {
        "default": environment.database("DATABASE_URL", DATABASE_URL)
    }
    if DATABASE_REPLICA_URL:
        # Lists are read from it: autoful/api/replica.py. Tests have one database.
        DATABASES["replica"] = environment.database("DATABASE_REPLICA_URL", DATABASE_REPLICA_URL)
        DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
        DATABASE_ROUTERS = ["autoful.api.replica.OnlyListsAreRead"]
    for _database in DATABASES.values():
        # READ COMMITTED: the verbs lock first and then read; a snapshot would show them yesterday.
        _database.setdefault("OPTIONS", {}).update(
            charset="utf8mb4",
            isolation_level="read committed",
            # Of every process, as are the waits below. Web processes are brief in more
            # (autoful/mysql/), and `migrate` waits for its locks in its own way.
            connect_timeout=2,
            # The server's own 50 seconds would hold a thread that long; after 3 the verb tries
            # again. A table being altered keeps us waiting a second (autoful/deploying/patience.py);
            # what takes three is somebody's ALTER by hand.
            # index_merge_intersection: of rows found by two indexes at once, all are found and sorted
            # before the first is read (ADR 19).
            init_command="SET SESSION innodb_lock_wait_timeout = 3, lock_wait_timeout = 3,"
            " optimizer_switch = 'index_merge_intersection=off'",
        )
        _database |= {
            "ENGINE": "autoful.mysql",  # which waits for a server that hangs no longer than a caller
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": AUTOFUL_DATA / "autoful.sqlite3",
            "OPTIONS": {
                # One try; a verb tries four times, and a client waits no longer than that.
                "timeout": 5,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache: `lists` for pages of lists, `limits` for counting calls; `default` is Django's to have --

if REDIS_URL:
    CACHES = environment.redis_caches(REDIS_URL)
else:
    _local = "django.core.cache.backends.locmem.LocMemCache"
    CACHES = {
        name: {"BACKEND": _local, "LOCATION": name, "OPTIONS": {"MAX_ENTRIES": entries}}
        for name, entries in {"default": 5_000, "lists": 5_000, "limits": 200_000}.items()
    }
# What counts calls while Redis cannot be reached: each process for itself, but never nobody.
CACHES["limits-local"] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "limits-local",
    "OPTIONS": {"MAX_ENTRIES": 200_000},
}
LIST_CACHE_SECONDS = 60

# --- Applications ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    "autoful",
    "autoful.accounts",
    "autoful.sheets",
    "customers",
    "mechanics",
    "inventory",
    "tickets",
    "embedded",
    "autoful.apps.BackOfficeConfig",  # unfold
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "auditlog",
    "django_otp",
    "django_otp.plugins.otp_totp",
]

# A ticket with two hundred parts, or five hundred rows of a list, are one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4_000

MIDDLEWARE = [
    "autoful.middleware.RequestContext",
    "autoful.middleware.HealthProbes",
    "autoful.middleware.BodyLimit",
    "django.middleware.security.SecurityMiddleware",
    "autoful.middleware.ContentPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "autoful.middleware.OtherOrigins",
    "autoful.api.preconditions.ConditionalGet",
    "autoful.browsers.SessionMiddleware",
    "autoful.browsers.KeepSessionsInUse",
    "django.middleware.common.CommonMiddleware",
    "autoful.browsers.CsrfViewMiddleware",
    "autoful.browsers.AuthenticationMiddleware",
    "autoful.browsers.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

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
            ]
        },
    }
]

# --- People ---------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# A role is a profile: whoever has one may wear that hat, one per token.
ROLES = {"customer": "customers.Customer", "mechanic": "mechanics.Mechanic"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Not cached_db: a sign-out while Redis is away would be undone when Redis comes back with the session.
OTP_TOTP_ISSUER = "Autoful"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
# Whichever comes first: the browser is closed, or nothing is asked for so long. See accounts/idle.py.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 60 * environment.number("AUTOFUL_IDLE_MINUTES", 120, 2, 1440)
LOGIN_URL = "admin:login"
# The theme's sign-in page forgets where to go when nobody asked for a page.
LOGIN_REDIRECT_URL = "admin:index"

# --- Back office ----------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Autoful",
    "SITE_HEADER": "Autoful",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "car_repair",
    # None: otherwise every browser asks for one and logs that it is not there.
    "SITE_FAVICONS": [{"rel": "icon", "href": "data:,"}],
    "SITE_URL": "",  # what stands at / is for those who write programs
    "SHOW_VIEW_ON_SITE": False,
    # Unfold's own is too dark for links on its dark pages.
    "COLORS": {"primary": {"500": "oklch(66.5% .24 304.5)"}},
    "SCRIPTS": [lambda _: static("autoful/pages.js")],
    "STYLES": [lambda _: static("autoful/pages.css")],
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "tickets.navigation.navigation",
    },
    "DASHBOARD_CALLBACK": "tickets.home.home",
    "LOGIN": {"form": "autoful.accounts.forms.SignInForm"},
    "ACCOUNT": {"navigation": "autoful.accounts.second_factor_page.account_links"},
}

# --- The shop -------------------------------------------------------------------------------------

AUTOFUL_PUBLIC_READS = environment.switch("AUTOFUL_PUBLIC_READS", default=True)
AUTOFUL_MECHANIC_SIGNUP = environment.choice(
    "AUTOFUL_MECHANIC_SIGNUP",
    default="approval" if PRODUCTION else "open",
    allowed=("open", "approval", "closed"),
)
AUTOFUL_CURRENCY = environment.currency("AUTOFUL_CURRENCY", "USD")
TIME_ZONE = environment.time_zone("AUTOFUL_TIME_ZONE", "UTC")
USE_TZ = True
LANGUAGE_CODE = "en-us"
USE_I18N = True
FORMAT_MODULE_PATH = "autoful.formats"

# --- Web ------------------------------------------------------------------------------------------

PORT = environment.number("PORT", 8000, 1, 65535)
WEB_WORKERS = environment.number("WEB_WORKERS", environment.cores() if PRODUCTION else 1, 1, 256)
WEB_THREADS = environment.number("WEB_THREADS", 4, 1, 256)
if not PRODUCTION and WEB_WORKERS > 1:
    raise ImproperlyConfigured(
        "WEB_WORKERS must be 1 without DATABASE_URL: the embedded cache lives in one process."
    )

ALLOWED_HOSTS = environment.hosts("ALLOWED_HOSTS", environment.LOOPBACK_HOSTS)
CORS_ALLOWED_ORIGINS = environment.origins("CORS_ALLOWED_ORIGINS")
CORS_ALLOW_HEADERS = [*default_headers, "if-match", "if-none-match", "idempotency-key"]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES")

AUTOFUL_HTTPS = environment.switch("AUTOFUL_HTTPS", default=PRODUCTION)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = AUTOFUL_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if AUTOFUL_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = AUTOFUL_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    # RequestContext drops the header when it does not come from one of TRUSTED_PROXIES.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "autoful.api.errors.forbidden"
CSRF_TRUSTED_ORIGINS = environment.names("CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = AUTOFUL_DATA / "static"
# The embedded set-up serves the files where they lie; production collects and hashes them.
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- API ------------------------------------------------------------------------------------------

API_MAX_BODY_BYTES = 1_048_576
# Each route is limited per caller; the table is the contract's. See autoful/limits.py.
RATE_LIMITS = environment.rate_limits(
    "AUTOFUL_RATE_LIMITS",
    everywhere=["50/hour", "200/day"],
    own={
        "admin.login": "5/min",
        "customers.login": "5/min",
        "customers.create": "5/hour",
        "customers.destroy": "5/hour",
        "mechanics.login": "5/min",
        "mechanics.create": "5/hour",
        "mechanics.destroy": "5/hour",
        "service_tickets.destroy": "5/hour",
        "inventory.destroy": "10/hour",
    },
    # Tries at one account's password, whoever makes them: autoful/accounts/guessing.py.
    alone={"accounts.password": "5/min"},
)
RATELIMIT_USE_CACHE = "limits"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "autoful.api.authentication.TokenAuthentication",
        "autoful.api.authentication.BackOfficeAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["autoful.api.permissions.Nobody"],
    "DEFAULT_PARSER_CLASSES": [
        "autoful.api.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": [
        "autoful.api.renderers.JSONRenderer",
        "autoful.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "autoful.api.renderers.Negotiation",
    "DEFAULT_FILTER_BACKENDS": ["autoful.api.filters.ShopFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "autoful.api.pagination.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "autoful.api.errors.answer",
    "NON_FIELD_ERRORS_KEY": "body",
    "COERCE_DECIMAL_TO_STRING": False,
    "DATETIME_FORMAT": "iso-8601",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT: dict[str, Any] = {
    "ALGORITHM": "HS256",
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=1),
    "USER_ID_CLAIM": "sub",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Autoful",
    "DESCRIPTION": "One system of record for an auto repair shop: customers and their vehicles, "
    f"service tickets, mechanics, parts and stock. Amounts are in {AUTOFUL_CURRENCY}.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["autoful.api.schema.one_spelling"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "autoful.api.schema.house_answers",
    ],
    "ENUM_NAME_OVERRIDES": {"TicketStatus": "tickets.models.ServiceTicket.Status"},
}

# --- Audit ----------------------------------------------------------------------------------------

AUDITLOG_CID_GETTER = "autoful.actor.request_id"
AUDITLOG_MASK_CALLABLE = "autoful.audit.mask"
# As text, a field that is empty and one that says "None" would be the same.
AUDITLOG_STORE_JSON_CHANGES = True

# --- Seen from outside ----------------------------------------------------------------------------

# Unset: no /metrics, and nothing is measured. See autoful/metrics.py.
AUTOFUL_METRICS_TOKEN = environment.token("AUTOFUL_METRICS_TOKEN")

# --- Logs -----------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "autoful.logs.JSONFormatter"},
        "plain": {
            "()": "autoful.logs.PlainFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
    },
    "filters": {"said elsewhere": {"()": "autoful.logs.SaidElsewhere"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if PRODUCTION else "plain",
        }
    },
    "root": {"handlers": ["console"], "level": "INFO" if PRODUCTION else "WARNING"},
    "loggers": {
        # Every 4xx would be said twice: autoful.access has it already, with its request id.
        "django.request": {"level": "ERROR", "filters": ["said elsewhere"]},
        # Anybody's scanner would fill the log with tracebacks; the 400 is in autoful.access too.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
}
