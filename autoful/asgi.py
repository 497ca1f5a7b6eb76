"""The ASGI application, for servers that want one."""

import os

from django.core.asgi import get_asgi_application

from autoful import mysql

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")

application = get_asgi_application()
mysql.serve_web()
