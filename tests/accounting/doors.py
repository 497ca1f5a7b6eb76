"""The doors into the shop: the API, the pages of the back office, the verbs of a command.

Each answers whether what was asked for was done. What breaks inside is raised.
"""

import json
import random
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

from auditlog.models import LogEntry
from django.core.cache import caches
from django.core.management.color import no_style
from django.db import OperationalError, connection
from django.db.models.signals import post_save
from django.test import Client
from django.urls import reverse

from autoful.accounts.models import User
from autoful.accounts.tokens import issue, profiles
from autoful.actor import COMMAND as COMMAND_LINE
from autoful.actor import Role
from autoful.errors import DomainError
from autoful.testing.pages import Desk
from tests.accounting.model import COMMAND, By
from tests.accounting.trail import MODELS

ADDRESSES = ("203.0.113.9", "198.51.100.7", "2001:db8::7")


class Trouble(Exception):
    """Something that breaks in the middle of a write."""


class Browser(Desk):
    """Somebody of the back office, who signs in as people do."""

    def __init__(self) -> None:
        Client.__init__(self)


def page(kind: str, name: str, *args: Any) -> str:
    model = MODELS[kind]._meta
    return reverse(f"admin:{model.app_label}_{model.model_name}_{name}", args=args)


class Doors:
    def __init__(self) -> None:
        self.browsers: dict[int, Browser] = {}
        self.tokens: dict[tuple[str, int], tuple[int, str]] = {}
        self.secrets: set[str] = set()
        self.came_from: tuple[str | None, str | None] = (None, None)
        self.said = ""  # the last answer, for whoever reads why something failed

    def knock(self, luck: random.Random, by: By) -> None:
        """The next operation has a request id and an address, unless it is a command's."""
        request_id = f"request-{uuid.UUID(int=luck.getrandbits(64))}"
        address = luck.choice(ADDRESSES)
        self.came_from = (None, None) if by == COMMAND else (request_id, address)

    def token(self, by: By, epoch: int) -> str:
        """A token of theirs; one that has been ended since is kept, to be refused."""
        assert by.profile is not None
        key = (by.role, by.profile)
        if key not in self.tokens:
            profile = profiles(Role(by.role)).get(pk=by.profile)
            self.tokens[key] = (epoch, str(issue(Role(by.role), profile, profile.user)))
            self.secrets |= set(self.tokens[key][1].split(".")[1:])
        return self.tokens[key][1]

    def headers(self) -> dict[str, Any]:
        request_id, address = self.came_from
        return {"HTTP_X_REQUEST_ID": request_id, "REMOTE_ADDR": address}

    def api(self, by: By, method: str, path: str, body: Any = None, *, epoch: int = 0) -> Any:
        """Ask the API; returns its answer."""
        client: Client = Client()
        headers = self.headers()
        if by.role == "back_office":
            client = self.browsers[by.user or 0]
        elif by.profile is not None:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {self.token(by, epoch)}"
        data = "" if body is None else json.dumps(body)
        answer = client.generic(method, path, data, content_type="application/json", **headers)
        assert answer["X-Request-ID"].startswith(f"{headers['HTTP_X_REQUEST_ID']}.")
        self.said = f"{method} {path} {body}: {answer.status_code} {answer.content[:500]!r}"
        assert answer.status_code < 500, (method, path, body, answer.content)
        return answer

    def browser(self, user: int) -> Browser:
        found = self.browsers.setdefault(user, Browser())
        found.defaults.update(self.headers())
        return found

    def save(self, by: By, url: str, typed: dict[str, Any]) -> bool:
        """Open a page of the back office, type and save; whether it was saved."""
        return self._saved(url, typed, self.browser(by.user or 0).save(url, typed))

    def post(self, by: By, url: str, typed: dict[str, Any]) -> bool:
        return self._saved(url, typed, self.browser(by.user or 0).post(url, typed))

    def delete_selected(self, by: By, kind: str, *rows: int) -> bool:
        data = {"action": "delete_selected", "_selected_action": rows, "post": "yes"}
        answer = self.browser(by.user or 0).post(page(kind, "changelist"), data, follow=True)
        return not any(message.level_tag == "error" for message in answer.context["messages"])

    def _saved(self, url: str, typed: Any, answer: Any) -> bool:
        assert answer.status_code in (200, 302, 403), answer.status_code
        errors = (getattr(answer, "context_data", None) or {}).get("errors", "")
        self.said = f"{url} {typed}: {answer.status_code} {errors}"
        return bool(answer.status_code == 302)

    def verb(self, function: Callable[..., Any], **arguments: Any) -> bool:
        """Call a verb as a command does."""
        try:
            function(**arguments, actor=COMMAND_LINE)
        except DomainError as refusal:
            self.said = f"{function.__name__} {arguments}: {refusal}"
            return False
        return True

    def seen(self) -> set[str]:
        """Everything that would let somebody in, as known now."""
        cookies = {c.value for b in self.browsers.values() for c in b.cookies.values()}
        hashes = set(User.objects.values_list("password", flat=True))
        self.secrets |= {secret for secret in cookies | hashes if len(secret) > 8}
        return self.secrets


@contextmanager
def trouble(kind: str, after: int) -> Any:
    """When entry number `after` of the operation is written: a lost race, once, or a breakdown."""
    written = 0

    def fail(**kwargs: Any) -> None:
        nonlocal written
        written += 1
        if written == after and kind == "lost race":
            raise OperationalError(1213, "Deadlock found when trying to get lock")
        if written == after and kind == "breaks":
            raise Trouble

    post_save.connect(fail, sender=LogEntry, weak=False)
    try:
        yield lambda: written
    finally:
        post_save.disconnect(fail, sender=LogEntry)


def empty_the_shop() -> None:
    """Nobody and nothing is there, nor an entry about it."""
    kept = {"django_content_type", "auth_permission", "django_migrations"}
    tables = set(connection.introspection.django_table_names(only_existing=True)) - kept
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), sorted(tables)))
    for cache in caches.all():
        cache.clear()
