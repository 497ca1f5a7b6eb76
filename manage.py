#!/usr/bin/env python
"""Autoful's command line: `python manage.py help`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

# The numbers of MySQL's client for a server that is not there, refuses the sign-in, or is closed.
NO_CONNECTION = [(2002,), (2003,), (2005,), (1044,), (1045,), (1049,), (1053,)]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        # The environment is wrong: the reader wants the variable's name, not a traceback.
        sys.exit(f"Autoful cannot start: {wrong}")
    except OperationalError as silent:
        if silent.args[:1] not in NO_CONNECTION:
            raise
        sys.exit(f"The database does not answer: {silent.args[-1]}")


if __name__ == "__main__":
    main()
