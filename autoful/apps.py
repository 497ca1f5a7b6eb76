from django.apps import AppConfig


class AutofulConfig(AppConfig):
    """What every app shares; it knows nothing about cars."""

    name = "autoful"
    verbose_name = "Autoful"

    def ready(self) -> None:
        from autoful import audit, checks  # noqa: F401
        from autoful.api import caching

        audit.connect()
        audit.on_change(caching.drop_lists_showing)
