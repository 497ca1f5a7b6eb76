"""The back office in a browser: signing in, filling in the forms of its pages."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client

from autoful.accounts.models import User


class Desk(Client):
    """Somebody of the back office at the browser. A page without permission is a 403 to them."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user
        self.force_login(user)

    def save(self, url: str, typed: dict[str, Any]) -> Any:
        """Open the page, type over its form (None takes a field away), and save it."""
        page: Any = self.get(url)
        form = page.context_data["opts"].model_name + "_form"
        values = fields_of(page, form) | typed
        return self.post(url, {name: v for name, v in values.items() if v is not None})


class _Form(HTMLParser):
    """The values a browser would send for the form of this id, untouched."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside = form_id, False
        self.values: dict[str, Any] = {}
        self.select = self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self.inside = given.get("id") == self.form_id
        elif not self.inside:
            return
        elif tag == "input" and name and given.get("type") not in ("submit", "button"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                value = given.get("value") or ("on" if "checked" in given else "")
                if name.startswith("initial-") and name in self.values:  # a field of many
                    before = self.values[name]
                    self.values[name] = [*(before if isinstance(before, list) else [before]), value]
                else:
                    self.values[name] = value
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in given and self.select:
            self.values.setdefault(self.select, []).append(given.get("value") or "")
        elif tag == "textarea" and name:
            self.textarea = name
            self.values[name] = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.values[self.textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            # The line break that HTML forgets after the opening tag.
            self.values[self.textarea] = self.values[self.textarea].removeprefix("\n")
            self.textarea = ""


def fields_of(response: Any, form_id: str) -> dict[str, Any]:
    """What the page's form would post if it were saved as it is."""
    parser = _Form(form_id)
    parser.feed(response.content.decode())
    assert parser.values, f"the page has no form {form_id}"
    return parser.values


def refusals_of(response: Any) -> str:
    """Every complaint on an admin form that was not saved."""
    assert response.status_code in (200, 503), response.status_code
    return " ".join(str(complaint) for complaint in response.context_data["errors"])
