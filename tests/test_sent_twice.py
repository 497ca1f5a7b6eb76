"""A form of the back office that is sent twice, by a click, a reload or a proxy, takes effect once."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from autoful.admin import once
from autoful.testing.pages import Desk, fields_of
from autoful.testing.personas import Persona
from autoful.testing.rivals import at_once, many_connections
from customers.models import Customer
from inventory.models import Part, StockMovement
from inventory.tests.factories import PartFactory
from tests.soundness import faults
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

DELIVERY = reverse("admin:inventory_part_delivery")
SAID = "This form was sent already"


def delivery(desk: Desk, part: Part) -> dict[str, Any]:
    """The page of a delivery, filled in."""
    page: Any = desk.get(DELIVERY)
    typed = {"rows-0-part": str(part.pk), "rows-0-quantity": "7", "_once": page.context["once"]}
    return typed | {"rows-TOTAL_FORMS": "10", "rows-INITIAL_FORMS": "0"}


def ticket_with_a_part(boss: Persona) -> tuple[str, dict[str, Any]]:
    """The page of a ticket, three of a part typed into it."""
    ticket = ServiceTicketFactory.create()
    part = PartFactory.create(quantity_in_stock=10)
    page = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    form = fields_of(Desk(boss.user).get(page), "serviceticket_form")
    typed = {"part_lines-TOTAL_FORMS": "1", "part_lines-0-part": part.pk}
    return page, form | typed | {"part_lines-0-quantity_used": "3"}


@pytest.mark.django_db
class TestOneAfterTheOther:
    def test_a_delivery(self, boss: Persona) -> None:
        desk, part = Desk(boss.user), PartFactory.create(quantity_in_stock=50)
        form = delivery(desk, part)
        assert desk.post(DELIVERY, form).status_code == 302
        again = desk.post(DELIVERY, form)
        assert (again.status_code, SAID in again.content.decode()) == (200, True)
        part.refresh_from_db()
        assert part.quantity_in_stock == 57
        assert desk.post(DELIVERY, delivery(desk, part)).status_code == 302
        assert faults() == []

    def test_what_was_refused_may_be_sent_again(self, boss: Persona) -> None:
        desk, part = Desk(boss.user), PartFactory.create()
        form = delivery(desk, part)
        assert desk.post(DELIVERY, form | {"rows-0-quantity": "0"}).status_code == 200
        assert desk.post(DELIVERY, form).status_code == 302

    def test_a_page_that_was_refused_by_a_verb_may_be_sent_again(self, boss: Persona) -> None:
        desk, part = Desk(boss.user), PartFactory.create(quantity_in_stock=1)
        page = reverse("admin:tickets_serviceticket_add")
        values = fields_of(desk.get(page), "serviceticket_form")
        values |= {"vin": "1HGCM82633A004352", "service_desc": "Brakes", "vehicle": ""}
        values |= {"customer": "", "part_lines-TOTAL_FORMS": "1", "part_lines-0-part": part.pk}
        customer = Customer.objects.create(name="Ann")
        values |= {"customer": customer.pk, "part_lines-0-quantity_used": "2"}
        assert "Not enough stock" in desk.post(page, values).content.decode()
        assert desk.post(page, values | {"part_lines-0-quantity_used": "1"}).status_code == 302
        again = desk.post(page, values | {"part_lines-0-quantity_used": "1"})
        assert (again.status_code, SAID in again.content.decode()) == (200, True)
        assert ServiceTicket.objects.count() == 1

    def test_a_page_that_came_back_was_not_saved(self, boss: Persona) -> None:
        desk = Desk(boss.user)
        page = reverse("admin:inventory_part_add")
        values = fields_of(desk.get(page), "part_form") | {"part_name": "Bulb", "price": "x"}
        for _ in "12":  # as a reload sends it
            answer = desk.post(page, values)
            assert "Enter a number" in answer.content.decode()
            assert SAID not in answer.content.decode()
        assert desk.post(page, values | {"price": "1.50"}).status_code == 302
        assert Part.objects.count() == 1

    def test_somebody_else_s_word_is_another(self, boss: Persona, clerk: Persona) -> None:
        desk, part = Desk(boss.user), PartFactory.create()
        form = delivery(desk, part)
        clerk.user.is_superuser = True
        clerk.user.save()
        assert desk.post(DELIVERY, form).status_code == 302
        assert Desk(clerk.user).post(DELIVERY, form).status_code == 302

    def test_a_part_added_to_a_ticket(self, boss: Persona) -> None:
        page, form = ticket_with_a_part(boss)
        desk = Desk(boss.user)
        assert desk.post(page, form)["Location"] != page
        again: Any = desk.post(page, form, follow=True)
        assert SAID in again.content.decode()
        # Nor does it stand there as if it were still to be saved.
        assert fields_of(again, "serviceticket_form")["part_lines-TOTAL_FORMS"] == "1"
        assert Part.objects.get().quantity_in_stock == 7
        assert faults() == []

    def test_one_part_received(self, boss: Persona) -> None:
        desk, part = Desk(boss.user), PartFactory.create(quantity_in_stock=50)
        page = reverse("admin:inventory_part_receive", args=(part.pk,))
        word = {"_once": desk.get(page).context["once"]}  # type: ignore[attr-defined]
        answers = [desk.post(page, {"quantity": "3"} | word).status_code for _ in "12"]
        part.refresh_from_db()
        assert (answers, part.quantity_in_stock) == ([302, 200], 53)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    @pytest.fixture(autouse=True)
    def _connections(self, transactional_db: None, tmp_path: Path) -> Iterator[None]:
        with many_connections(tmp_path):
            yield

    def booked(self, boss: Persona) -> tuple[list[int], int]:
        part = PartFactory.create()
        form = delivery(Desk(boss.user), part)
        desks = [Desk(boss.user) for _ in range(6)]
        answers = at_once(*[partial(desk.post, DELIVERY, form) for desk in desks])
        moves = StockMovement.objects.filter(part=part, reason="received")
        return sorted(answer.status_code for answer in answers), moves.count()

    def left_of_ten(self, boss: Persona) -> int:
        """How many are left when a form that adds three to a ticket is sent four times."""
        page, form = ticket_with_a_part(boss)
        at_once(*[partial(Desk(boss.user).post, page, form) for _ in range(4)])
        assert faults() == []
        return Part.objects.get().quantity_in_stock

    def test_four_of_one_ticket_add_once(self, boss: Persona) -> None:
        assert self.left_of_ten(boss) == 7

    def test_control_without_the_word_each_adds(
        self, boss: Persona, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(once, "claim", lambda request, actor: None)
        assert self.left_of_ten(boss) == 1

    def test_six_of_one_form_book_once(self, boss: Persona) -> None:
        assert self.booked(boss) == ([200, 200, 200, 200, 200, 302], 1)

    def test_control_without_the_word_all_book(
        self, boss: Persona, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(once, "claim", lambda request, actor: None)
        assert self.booked(boss) == ([302] * 6, 6)
