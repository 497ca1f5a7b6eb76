from django.apps import AppConfig


class EmbeddedConfig(AppConfig):
    """The set-up that needs nothing but Python, and the demo shop it opens with."""

    name = "embedded"
