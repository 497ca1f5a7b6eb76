"""Accounts for tests. All have the password `PASSWORD`."""

from functools import cache

import factory
from django.contrib.auth.hashers import get_hasher, make_password

from autoful.accounts.models import User

PASSWORD = "correct horse battery"


def password_hash(password: str = PASSWORD) -> str:
    """Hashed once: the real hash takes a fifth of a second."""
    hasher = get_hasher()
    return _hashed(password, hasher.algorithm, getattr(hasher, "rounds", 0))


@cache
def _hashed(password: str, algorithm: str, rounds: int) -> str:
    # One of another test's quick hasher would be hashed again, and saved, at the first sign-in.
    return make_password(password)


class UserFactory(factory.django.DjangoModelFactory[User]):
    """An account without a role; `is_staff=True` makes it the back office."""

    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    password = factory.LazyFunction(password_hash)


class SuperuserFactory(UserFactory):
    """The back office, with every Django permission."""

    is_staff = True
    is_superuser = True
