"""The WSGI application, as `manage.py serve` hands it to granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")

application = get_wsgi_application()
