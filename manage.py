#!/usr/bin/env python
"""Autoful's command line: `python manage.py help`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "autoful.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        # The environment is wrong: the reader wants the variable's name, not a traceback.
        sys.exit(f"Autoful cannot start: {wrong}")


if __name__ == "__main__":
    main()
