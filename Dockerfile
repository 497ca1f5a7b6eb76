# syntax=docker/dockerfile:1

# Bookworm, not the newest Debian: from MariaDB Connector/C 3.4 on the client insists on a certificate it can verify,
# and MySQL's own is self-signed.
ARG PYTHON=python:3.13-slim-bookworm

FROM ${PYTHON} AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev pkg-config libmariadb-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements-embedded.txt requirements.txt constraints.txt ./
RUN pip wheel --no-cache-dir --wheel-dir /wheels -r requirements.txt

FROM ${PYTHON}
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AUTOFUL_DATA=/var/lib/autoful
# mariadb-client is what manage.py backup and restore run.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb3 mariadb-client \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin autoful \
    && install --directory --owner autoful --group autoful --mode 0700 $AUTOFUL_DATA/backups $AUTOFUL_DATA/metrics
WORKDIR /app
COPY requirements-embedded.txt requirements.txt constraints.txt ./
RUN --mount=type=bind,from=builder,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels -r requirements.txt
# Owned by root: the application cannot change itself, and runs in a read-only container.
COPY . .
# The settings want to know that this is production; nothing is asked of a database here, and the key stays behind.
RUN DATABASE_URL=mysql://build@build/build SECRET_KEY="only-while-the-image-is-built-$(head -c 32 /dev/urandom | sha256sum)" \
    python manage.py collectstatic --no-input
USER autoful
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as web; \
web.urlopen('http://127.0.0.1:' + (os.environ.get('PORT') or '8000') + '/health/live', timeout=2)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0", "--static-collected"]
