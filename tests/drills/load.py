"""Load on a running shop: many clients at once, each with an own way of working.

book = Book(ours)
mechanic, desk = Mechanic(server.url, book, token), Desk(server.url, book)
rush(partial(mechanic.add, ticket, part, 2), partial(desk.receive, part, 5), …)
assert book.contradictions() == []
"""

import html
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from autoful.testing.pages import fields_of
from autoful.testing.shops import Shop
from tests.drills.backdoor import OWNER
from tests.drills.book import DONE, PATIENCE, REFUSED, Book, Effect, Told, outcome_of


class Client:
    """One who calls, on a connection of its own each time: all server processes get some."""

    def __init__(self, url: str, book: Book) -> None:
        self.url, self.book = url, book
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Connection"] = "close"
        self.cut_off = False  # whether somebody took the last request and did not answer it

    def ask(self, method: str, path: str, **more: Any) -> tuple[str, requests.Response | None]:
        """The request's id, and the answer if there was one."""
        request_id = self.book.next_id()
        self.cut_off = False
        try:
            response = self.session.request(
                method,
                self.url + path,
                headers={"X-Request-ID": request_id},
                allow_redirects=False,
                timeout=PATIENCE,
                **more,
            )
        except requests.Timeout:
            self.book.left_waiting.append(f"{request_id}: {method} {path}: never answered")
            return request_id, None
        except requests.RequestException as error:
            self.cut_off = not _was_turned_away(error)
            return request_id, None
        return request_id, response


def _was_turned_away(error: requests.RequestException) -> bool:
    """Whether nobody was there: such a request was never sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


class Mechanic(Client):
    """Calls the API."""

    def __init__(self, url: str, book: Book, token: str) -> None:
        super().__init__(url, book)
        self.session.headers["Authorization"] = f"Bearer {token}"

    def add(self, ticket: int, part: int, quantity: int = 1) -> Told:
        def did(body: dict[str, Any] | None) -> tuple[Effect, ...]:
            body = body or {}
            return (
                ("part", part, -quantity, body.get("stock_remaining")),
                ("line", body.get("service_inventory_id"), quantity, body.get("quantity_used")),
            )

        body = {"inventory_id": part, "quantity_used": quantity}
        asked = f"add {quantity} of part {part} to ticket {ticket}"
        path = f"/service_tickets/{ticket}/add-inventory"
        return self._do("POST", path, asked, did, json=body)

    def remove(self, ticket: int, line: int) -> Told:
        def did(body: dict[str, Any] | None) -> tuple[Effect, ...]:
            back, left = (body or {}).get("quantity_restored"), (body or {}).get("stock_remaining")
            gone = None if back is None else -back
            return ("part", None, back, left), ("line", line, gone, 0)

        path = f"/service_tickets/{ticket}/remove-inventory/{line}"
        return self._do("PUT", path, f"line {line} off ticket {ticket}", did)

    def cancel(self, ticket: int) -> Told:
        path = f"/service_tickets/{ticket}"
        return self._do("PATCH", path, f"cancel ticket {ticket}", json={"status": "cancelled"})

    def delete(self, ticket: int) -> Told:
        return self._do("DELETE", f"/service_tickets/{ticket}", f"delete ticket {ticket}")

    def count(self, part: int, quantity: int) -> Told:
        """Say how many there are."""

        def did(body: dict[str, Any] | None) -> tuple[Effect, ...]:
            return (("part", part, None, quantity),)

        body = {"quantity_in_stock": quantity}
        return self._do(
            "PUT", f"/inventory/{part}", f"count {quantity} of part {part}", did, json=body
        )

    def _do(
        self,
        method: str,
        path: str,
        asked: str,
        did: Callable[[dict[str, Any] | None], tuple[Effect, ...]] | None = None,
        **more: Any,
    ) -> Told:
        request_id, response = self.ask(method, path, **more)
        outcome = outcome_of(response)
        body = response.json() if response is not None and outcome == DONE else None
        said = did(body) if did else None
        return self.book.write(Told(request_id, asked, outcome, said, response, self.cut_off))


class Desk(Client):
    """The owner at the back office's pages: signs in, opens the form, saves it."""

    def __init__(self, url: str, book: Book) -> None:
        super().__init__(url, book)
        email, password = OWNER
        self._save("/admin/login/", {"username": email, "password": password})
        assert "sessionid" in self.session.cookies, "The owner cannot sign in."

    def receive(self, part: int, quantity: int) -> Told:
        typed = {"quantity": quantity, "note": "Delivery"}
        request_id, response = self._save(f"/admin/inventory/part/{part}/receive/", typed)
        left = self._said(response, rf"{quantity} received; (\d+) in stock")
        effect = ("part", part, quantity, left)
        return self._told(request_id, f"receive {quantity} of part {part}", response, (effect,))

    def count(self, part: int, quantity: int) -> Told:
        typed = {"quantity": quantity, "note": "Counted"}
        request_id, response = self._save(f"/admin/inventory/part/{part}/adjust/", typed)
        self._said(response, rf"Stock set; ({quantity}) in stock")
        effect = ("part", part, None, quantity)
        return self._told(request_id, f"count {quantity} of part {part}", response, (effect,))

    def rename(self, part: int, name: str) -> Told:
        """A change of the part that must not touch its stock."""
        path = f"/admin/inventory/part/{part}/change/"
        request_id, response = self._save(path, {"part_name": name}, form="part_form")
        return self._told(request_id, f"rename part {part}", response, (("part", part, 0, 0),))

    def write_lines(self, ticket: int, add: dict[int, int], *, remove: int = 0) -> Told:
        """Parts typed in by number and quantity, and the first `remove` lines crossed out."""
        return self.fill_in_lines(ticket, add, remove=remove)()

    def fill_in_lines(
        self, ticket: int, add: dict[int, int], *, remove: int = 0
    ) -> Callable[[], Told]:
        """The same, with the form open and filled in; what is returned saves it."""
        path = f"/admin/tickets/serviceticket/{ticket}/change/"

        def typed(fields: dict[str, Any]) -> dict[str, Any]:
            there = int(fields.get("part_lines-INITIAL_FORMS", 0))
            rows = {f"part_lines-{n}-DELETE": "on" for n in range(min(remove, there))}
            for n, (part, quantity) in enumerate(add.items(), there):
                rows |= {f"part_lines-{n}-part": part, f"part_lines-{n}-quantity_used": quantity}
            return rows | {"part_lines-TOTAL_FORMS": there + len(add)}

        send = self._fill_in(path, typed, form="serviceticket_form")
        effects: list[Effect] = []
        for part, quantity in sorted(add.items()):
            effects += [("part", part, -quantity, None), ("line", None, quantity, None)]
        did = None if remove else tuple(effects)

        def save() -> Told:
            request_id, response = send()
            return self._told(request_id, f"{add} on ticket {ticket}, {remove} off", response, did)

        return save

    def cancel(self, ticket: int) -> Told:
        path = f"/admin/tickets/serviceticket/{ticket}/move/cancelled/"
        request_id, response = self._save(path, {})
        return self._told(request_id, f"cancel ticket {ticket}", response, None)

    def delete(self, *tickets: int) -> Told:
        """Tick them in the list and delete them, all or none."""
        typed = {"action": "delete_selected", "_selected_action": tickets, "post": "yes"}
        request_id, response = self._save("/admin/tickets/serviceticket/", typed)
        # Refused or done, the list comes back; its message tells.
        done = self._said(response, r"Successfully deleted (\d+) service ticket")
        did = None if done else ()
        return self._told(request_id, f"delete tickets {tickets}", response, did)

    def _save(
        self,
        path: str,
        typed: dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]],
        *,
        form: str = "",
    ) -> tuple[str, requests.Response | None]:
        """Open the page, type over its form, and save it."""
        return self._fill_in(path, typed, form=form)()

    def _fill_in(
        self,
        path: str,
        typed: dict[str, Any] | Callable[[dict[str, Any]], dict[str, Any]],
        *,
        form: str = "",
    ) -> Callable[[], tuple[str, requests.Response | None]]:
        """Open the page and type over its form; what is returned saves it."""
        request_id, page = self.ask("GET", path)
        if page is None or page.status_code != 200:
            return lambda: (request_id, page)  # gone since: there is nothing to type in
        fields = fields_of(page, form) if form else {}
        fields |= typed(fields) if callable(typed) else typed
        fields["csrfmiddlewaretoken"] = self.session.cookies["csrftoken"]
        return lambda: self.ask("POST", path, data=fields)

    def _said(self, response: requests.Response | None, pattern: str) -> int | None:
        """The number in what the page after a saved one says."""
        if response is None or response.status_code != 302:
            return None
        _, page = self.ask("GET", response.headers["Location"])
        found = re.search(pattern, html.unescape(page.text)) if page is not None else None
        return int(found[1]) if found else None

    def _told(
        self,
        request_id: str,
        asked: str,
        response: requests.Response | None,
        did: tuple[Effect, ...] | None,
    ) -> Told:
        outcome = outcome_of(response)
        if outcome == DONE and response is not None:
            # The form again, with what is wrong; or the way out, when the row is gone.
            again = response.status_code == 200 or response.headers["Location"] == "/admin/"
            outcome = REFUSED if again else DONE
        return self.book.write(Told(request_id, f"desk: {asked}", outcome, did, response))


def backdoor(ours: Shop, call: str) -> Any:
    """What a function of `backdoor` answers, run inside the shop."""
    return ours.ask(f"from tests.drills import backdoor; answer = backdoor.{call}")


def processes(ours: Shop) -> int:
    """Of the server: the embedded cache lives in one."""
    return 4 if ours.in_production else 1


def rush(*moves: Callable[[], Any]) -> list[Any]:
    """Let every move go at the same moment, each in a thread; what they returned, in order."""
    barrier = threading.Barrier(len(moves))

    def go(move: Callable[[], Any]) -> Any:
        barrier.wait(PATIENCE)
        return move()

    with ThreadPoolExecutor(len(moves)) as pool:
        return list(pool.map(go, moves))
