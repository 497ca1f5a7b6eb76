from django.apps import AppConfig


class AutofulConfig(AppConfig):
    """What every app shares; it knows nothing about cars."""

    name = "autoful"
    verbose_name = "Autoful"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from autoful import audit, checks, outage, sqlite  # noqa: F401
        from autoful.api import caching, replica
        from autoful.backup import unfinished

        connection_created.connect(sqlite.teach, dispatch_uid="autoful.sqlite")
        connection_created.connect(unfinished.refuse, dispatch_uid="autoful.backup.unfinished")
        audit.connect()
        audit.on_change(caching.drop_lists_showing)
        replica.remember_who_writes()
        outage.on_return(caching.drop_all)


class BackOfficeConfig(AppConfig):
    """unfold, with our site instead of its own."""

    name = "unfold"
    default = False

    def ready(self) -> None:
        from django.contrib import admin
        from django.contrib.admin import sites

        from autoful.admin.site import BackOffice

        admin.site = sites.site = BackOffice()
