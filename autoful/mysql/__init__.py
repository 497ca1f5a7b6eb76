"""Django's MySQL backend, which waits for its server no longer than a caller would: see `base`."""

from django.db import connections

# Seconds, for the web server alone: what a migration, a backup or a report asks may take its time.
# How long every process waits for a connection and for locks stands in the settings.
# Reading waits longer than a row's lock does (3): a lock that is not given is a lost race and tried
# again, an answer that does not come is an outage.
WEB_PATIENCE = {"read_timeout": 5, "write_timeout": 5}
SEPARATOR = ";\n"  # of statements that go together
# Sooner than we give up, or the server goes on with what nobody waits for any more.
STATEMENT_SECONDS = 4


def serve_web() -> None:
    """Connections that this process makes from now on wait as `WEB_PATIENCE` says, and let the server
    end what takes longer than `STATEMENT_SECONDS`."""
    for alias in connections:
        if connections.settings[alias]["ENGINE"] == __name__:
            connections.settings[alias]["OPTIONS"].update(WEB_PATIENCE)
            connections.settings[alias]["STATEMENT_SECONDS"] = STATEMENT_SECONDS
