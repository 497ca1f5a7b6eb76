"""What a page says of a ticket it has written: to be looked at once more, and no error."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

ADD = reverse("admin:tickets_serviceticket_add")
WALK_IN = reverse("admin:tickets_serviceticket_walk_in")
WORK = {"service_desc": "Brakes", "service_date": "2025-03-14"}


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


@pytest.fixture
def camry() -> Vehicle:
    dana = CustomerFactory.create(name="Dana Whitlow")
    return VehicleFactory.create(customer=dana, model="Camry", mileage=80_000)


def said(desk: Desk, answer: Any) -> str:
    """The messages on the page that the answer leads to."""
    assert answer.status_code == 302, answer.content
    messages = desk.get(answer["Location"]).context["messages"]
    return " ".join(str(message) for message in messages)


def opened(desk: Desk, camry: Vehicle, **typed: Any) -> str:
    return said(desk, desk.save(ADD, WORK | {"vehicle": camry.pk} | typed))


def test_an_everyday_ticket_needs_no_remark(desk: Desk, camry: Vehicle) -> None:
    ServiceTicketFactory.create(vin=camry.vin, customer=camry.customer, status="completed")
    assert Vehicle.objects.get().mileage == 80_000
    told = opened(desk, camry, mileage="81200")
    assert "on the clock" not in told and "another" not in told and "belongs" not in told


@pytest.mark.parametrize(
    ("mileage", "remark"),
    [
        ("8120", "had 80,000 on the clock already, and 8,120 is less."),
        ("812000", "has 812,000 on the clock, 732,000 more than the last time."),
        ("9999999", "has 9,999,999 on the clock"),
    ],
)
def test_a_mileage_that_can_hardly_be(
    desk: Desk, camry: Vehicle, mileage: str, remark: str
) -> None:
    assert remark in opened(desk, camry, mileage=mileage)
    ticket = ServiceTicket.objects.get()
    page = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    assert "on the clock" not in said(desk, desk.save(page, {"notes": "Loud"}))


def test_a_second_open_ticket_leads_to_the_first(desk: Desk, camry: Vehicle) -> None:
    first = ServiceTicketFactory.create(vin=camry.vin, customer=camry.customer)
    told = opened(desk, camry)
    assert f'has another open ticket: <a href="/admin/tickets/serviceticket/{first.pk}/' in told


def test_who_drives_a_car_of_somebody_else_may_have_bought_it(desk: Desk, camry: Vehicle) -> None:
    buyer = CustomerFactory.create()
    told = opened(desk, camry, customer=buyer.pk, sure_of_vin=f"this {camry.vin}")
    assert "still belongs to Dana Whitlow. If the ticket is theirs, cancel it" in told
    assert "If it was sold" in told
    assert f'<a href="/admin/customers/vehicle/{camry.pk}/change/">' in told


def test_what_may_not_be_seen_is_not_told(clerk: Persona, camry: Vehicle) -> None:
    names = ("add_serviceticket", "change_serviceticket", "view_serviceticket")
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    desk, buyer = Desk(clerk.user), CustomerFactory.create()
    page = reverse(
        "admin:tickets_serviceticket_change",
        args=(ServiceTicketFactory.create(customer=buyer).pk,),
    )
    told = said(desk, desk.save(page, {"vin": camry.vin, "sure_of_vin": f"this {camry.vin}"}))
    assert "was changed successfully" in told
    assert "Dana" not in told and "Camry" not in told and "belongs" not in told


def test_neither_is_a_mileage_or_another_ticket(clerk: Persona, camry: Vehicle) -> None:
    ServiceTicketFactory.create(vin=camry.vin, customer=camry.customer)
    names = ("add_serviceticket", "view_own_work")
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    desk = Desk(clerk.user)
    assert desk.save(ADD, WORK | {"vin": camry.vin, "mileage": "1"}).status_code == 302
    told = " ".join(str(message) for message in desk.get("/admin/").context["messages"])
    assert "was added successfully" in told
    assert "clock" not in told and "open ticket" not in told and "80,000" not in told


def test_whoever_corrects_a_mileage_is_not_told_off_for_it(desk: Desk, camry: Vehicle) -> None:
    opened(desk, camry, mileage="812000")
    ticket = ServiceTicket.objects.get()
    page = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    told = said(desk, desk.save(page, {"mileage": "81200"}))
    assert "still has 812,000 on the clock" in told and "is less" not in told


def test_the_mileage_is_that_of_the_ticket_s_car(desk: Desk, camry: Vehicle) -> None:
    """Whose VIN was corrected; under the one that was written first there is another car by now."""
    ticket = ServiceTicketFactory.create(vin=camry.vin, customer=camry.customer)
    Vehicle.objects.filter(pk=camry.pk).update(vin=valid_vin(700_001), mileage=900)
    VehicleFactory.create(vin=ticket.vin, mileage=55_555)
    page = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    assert "on the clock" not in said(desk, desk.save(page, {"mileage": "902"}))


def test_a_ticket_that_is_over_may_say_less(desk: Desk, camry: Vehicle) -> None:
    ticket = ServiceTicketFactory.create(vin=camry.vin, status="completed", mileage=70_000)
    page = reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))
    assert "clock" not in said(desk, desk.save(page, {"mileage": "71000"}))


@pytest.mark.parametrize(("mileage", "is_told"), [("450000", False), ("550000", True)])
def test_the_first_mileage_of_a_car(desk: Desk, mileage: str, is_told: bool) -> None:
    buyer = CustomerFactory.create()
    typed = {"vin": valid_vin(3), "customer": buyer.pk, "mileage": mileage}
    told = said(desk, desk.save(ADD, WORK | typed))
    assert ("on the clock" in told) == is_told
    assert "is new here." in told


def test_a_check_digit_is_told_once(desk: Desk) -> None:
    golf = VehicleFactory.create(vin="WVWZZZ1JZXW000001")
    told = opened(desk, golf)
    assert "check digit" not in told and "is new here" not in told
    typed = {"vin": "WVWZZZ1JZXW000002", "customer": golf.customer.pk}
    assert "check digit" in said(desk, desk.save(ADD, WORK | typed))


class TestWalkIn:
    def typed(self, **fields: Any) -> dict[str, Any]:
        return WORK | {"name": "Wanda Walker", "vin": valid_vin(7)} | fields

    def test_what_is_typed_of_a_new_car_goes_before_its_vin(self, desk: Desk) -> None:
        desk.post(WALK_IN, self.typed(make="Acura", model="NSX", plate="QX-771"))
        car = Vehicle.objects.get()
        assert (car.make, car.model, car.plate, car.year) == ("Acura", "NSX", "QX-771", 2003)

    def test_what_is_known_of_a_car_stays(self, desk: Desk, camry: Vehicle) -> None:
        Vehicle.objects.update(make="", year=2019)
        typed = {"vin": camry.vin, "somebody_new": "on", "make": "Toyota", "year": "1999"}
        told = said(desk, desk.post(WALK_IN, self.typed(**typed, model="Supra")))
        car = Vehicle.objects.get()
        assert (car.make, car.model, car.year) == ("Toyota", "Camry", 2019)
        assert "still belongs to Dana Whitlow" in told
        assert "was here before and keeps its model and year." in told

    def test_a_known_car_s_own_plate_is_not_spoken_of(self, desk: Desk, camry: Vehicle) -> None:
        VehicleFactory.create(plate="QX-771")
        Vehicle.objects.filter(pk=camry.pk).update(plate="QX771")
        typed = {"vin": camry.vin, "somebody_new": "on", "plate": "NEW-1"}
        told = said(desk, desk.post(WALK_IN, self.typed(**typed)))
        assert "keeps its plate." in told and "on another vehicle" not in told

    @pytest.mark.parametrize(("typed", "told"), [({}, True), ({"email": "w@home.example"}, False)])
    def test_whom_nobody_can_call(self, desk: Desk, typed: dict[str, str], told: bool) -> None:
        messages = said(desk, desk.post(WALK_IN, self.typed(**typed)))
        assert ("has neither phone nor e-mail" in messages) == told

    def test_a_car_described_by_its_vin_alone_is_told(self, desk: Desk) -> None:
        told = said(desk, desk.post(WALK_IN, self.typed()))
        assert "is new here." in told

    def test_a_plate_that_is_on_another_car(self, desk: Desk, camry: Vehicle) -> None:
        Vehicle.objects.update(plate="qx 771")
        page = desk.post(WALK_IN, self.typed(plate="QX-771"))
        asked = " ".join(page.context_data["form"].errors["plate"])
        assert "already. If it is that car, type its VIN" in asked and camry.vin in asked
        assert (Customer.objects.count(), Vehicle.objects.count()) == (1, 1)
        vin = valid_vin(7)
        # What was said of the VIN is no answer about the plate.
        sure = self.typed(plate="QX-771", sure_of_vin=f"right {vin}")
        assert desk.post(WALK_IN, sure).status_code == 200
        assert desk.post(WALK_IN, sure | {"other_car": f"{vin} {camry.pk}"}).status_code == 302
        assert Customer.objects.count() == 2

    def test_a_vin_that_is_most_likely_mistyped(self, desk: Desk, camry: Vehicle) -> None:
        vin = "1HGCM82633A004353"
        page = desk.post(WALK_IN, self.typed(vin=vin))
        assert "check digit" in " ".join(page.context_data["form"].errors["vin"])
        assert (Customer.objects.count(), Vehicle.objects.count()) == (1, 1)
        told = said(desk, desk.post(WALK_IN, self.typed(vin=vin, sure_of_vin=f"right {vin}")))
        assert "check digit" not in told  # it was asked
