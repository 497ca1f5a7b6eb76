"""The shop's settings, where a password's hash takes a millisecond: fuzzing makes thousands."""

from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

from autoful.settings import *  # noqa: F403


class QuickHasher(BCryptSHA256PasswordHasher):
    rounds = 4


PASSWORD_HASHERS = ["tests.schema_settings.QuickHasher"]
