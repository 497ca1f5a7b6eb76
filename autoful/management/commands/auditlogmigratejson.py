"""django-auditlog's command of this name rewrites entries; ours were JSON from the first."""

from autoful.management.commands.auditlogflush import Command as Command
