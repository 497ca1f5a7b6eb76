"""Opening a ticket in the back office: whose car it is, and what is asked before it goes elsewhere."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.testing.pages import Desk, fields_of, refusals_of
from autoful.testing.personas import Persona
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from tests.soundness import everything
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

ADD = reverse("admin:tickets_serviceticket_add")
WORK = {"service_desc": "Brakes", "service_date": "2025-03-14"}


def change(ticket: ServiceTicket) -> str:
    return reverse("admin:tickets_serviceticket_change", args=(ticket.pk,))


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return Desk(boss.user)


@pytest.fixture
def dana() -> Customer:
    return CustomerFactory.create(name="Dana Whitlow")


@pytest.fixture
def camry(dana: Customer) -> Vehicle:
    return VehicleFactory.create(
        customer=dana, make="Toyota", model="Camry", year=2019, plate="KX-1"
    )


def opened() -> tuple[str, str]:
    ticket = ServiceTicket.objects.get()
    return ticket.customer.name, ticket.vehicle.vin


@pytest.mark.parametrize("by", ["vehicle", "vin"])
def test_a_known_car_brings_its_owner(desk: Desk, camry: Vehicle, by: str) -> None:
    typed = {"vehicle": camry.pk} if by == "vehicle" else {"vin": camry.vin.lower()}
    assert desk.save(ADD, WORK | typed).status_code == 302
    assert opened() == ("Dana Whitlow", camry.vin)
    assert Vehicle.objects.count() == 1


def test_a_new_car_needs_somebody_to_belong_to(desk: Desk, dana: Customer) -> None:
    typed = WORK | {"vin": valid_vin(3)}
    assert "Whose ticket is it?" in refusals_of(desk.save(ADD, typed))
    assert desk.save(ADD, typed | {"customer": dana.pk}).status_code == 302
    assert opened() == ("Dana Whitlow", valid_vin(3))


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ({}, "or type its VIN below"),
        ({"vin": "SHORT"}, "A VIN has 11 to 17"),
        ({"vehicle": "999"}, "Select a valid choice"),
        ({"vehicle": "x"}, "Select a valid choice"),
    ],
)
def test_a_ticket_for_no_car_is_refused(
    desk: Desk, dana: Customer, typed: dict[str, Any], refusal: str
) -> None:
    before = everything()
    assert refusal in refusals_of(desk.save(ADD, WORK | {"customer": dana.pk} | typed))
    assert everything() == before


def test_two_cars_are_one_too_many(desk: Desk, camry: Vehicle) -> None:
    answer = desk.save(ADD, WORK | {"vehicle": camry.pk, "vin": valid_vin(700_000)})
    assert "another VIN than that of the vehicle" in refusals_of(answer)


@pytest.mark.parametrize("by", ["vehicle", "vin"])
def test_another_customers_car_is_asked_about(desk: Desk, camry: Vehicle, by: str) -> None:
    tom = CustomerFactory.create(name="Tom")
    typed = WORK | {"customer": tom.pk, by: camry.pk if by == "vehicle" else camry.vin}
    answer = desk.save(ADD, typed)
    assert "This is the 2019 Toyota Camry of Dana Whitlow." in refusals_of(answer)
    assert not ServiceTicket.objects.exists()
    # The page that came back has the box to tick.
    again = fields_of(answer, "serviceticket_form")
    assert f'type="checkbox" name="sure_of_vin" value="this {camry.vin}"' in answer.content.decode()
    assert desk.post(ADD, again | {"sure_of_vin": f"this {camry.vin}"}).status_code == 302
    assert opened() == ("Tom", camry.vin)
    camry.refresh_from_db()
    assert camry.customer.name == "Dana Whitlow"  # whoever brings it need not own it


def test_a_vin_is_not_changed_to_another_customers_car_unasked(desk: Desk, camry: Vehicle) -> None:
    ticket = ServiceTicketFactory.create(status="completed")
    assert 'type="checkbox" name="sure_of_vin"' not in desk.get(change(ticket)).content.decode()
    before = everything()
    answer = desk.save(change(ticket), {"vin": camry.vin})
    assert "This is the 2019 Toyota Camry of Dana Whitlow." in refusals_of(answer)
    assert everything() == before
    sure = {"vin": camry.vin, "sure_of_vin": f"this {camry.vin}"}
    assert desk.save(change(ticket), sure).status_code == 302
    ticket.refresh_from_db()
    assert ticket.vehicle == camry


def test_what_is_not_changed_is_not_asked_about(desk: Desk, camry: Vehicle) -> None:
    ticket = ServiceTicketFactory.create(vin=camry.vin, customer=CustomerFactory.create())
    assert desk.save(change(ticket), {"notes": "Tom brings it"}).status_code == 302


@pytest.mark.parametrize("ticked", ["on", "", valid_vin(999_999)])
def test_a_box_that_was_ticked_for_another_is_no_answer(
    desk: Desk, camry: Vehicle, ticked: str
) -> None:
    tom = CustomerFactory.create(name="Tom")
    typed = WORK | {"customer": tom.pk, "vehicle": camry.pk, "sure_of_vin": ticked}
    assert "of Dana Whitlow" in refusals_of(desk.save(ADD, typed))
    # Nor does an address answer what was not asked.
    url = f"{ADD}?vehicle={camry.pk}&customer={tom.pk}&sure_of_vin=this+{camry.vin}"
    page = fields_of(desk.get(url), "serviceticket_form")
    assert "of Dana Whitlow" in refusals_of(desk.post(url, page | WORK))


def test_a_box_stays_ticked_while_something_else_is_wrong(desk: Desk, camry: Vehicle) -> None:
    tom = CustomerFactory.create(name="Tom")
    typed = WORK | {"customer": tom.pk, "vehicle": camry.pk, "sure_of_vin": f"this {camry.vin}"}
    answer = desk.save(ADD, typed | {"service_date": "x"})
    assert "of Dana Whitlow" not in refusals_of(answer)
    again = fields_of(answer, "serviceticket_form")
    assert again["sure_of_vin"] == f"this {camry.vin}"
    assert desk.post(ADD, again | WORK).status_code == 302


MISTYPED, RIGHT = "1HGCM82633A004353", "1HGCM82633A004352"


def test_a_vin_that_is_most_likely_mistyped_is_asked_about(desk: Desk, dana: Customer) -> None:
    typed, before = WORK | {"customer": dana.pk, "vin": MISTYPED.lower()}, everything()
    answer = desk.save(ADD, typed)
    assert "check digit does not match. Is it typed correctly?" in refusals_of(answer)
    assert "tick “The VIN is right”" in refusals_of(answer)
    assert everything() == before
    box = re.search(
        '<label[^>]*for="id_sure_of_vin"[^>]*>(.*?)</label>', answer.content.decode(), re.S
    )
    assert box and "The VIN is right" in box[1]
    again = fields_of(answer, "serviceticket_form") | {"sure_of_vin": f"right {MISTYPED}"}
    assert "check digit" in refusals_of(desk.post(ADD, again | {"vin": "1HGCM82633A004354"}))
    assert desk.post(ADD, again).status_code == 302
    assert opened() == ("Dana Whitlow", MISTYPED)


@pytest.mark.parametrize("vin", [RIGHT, "WVWZZZ1JZXW000002"])
def test_one_that_may_be_right_is_not(desk: Desk, dana: Customer, vin: str) -> None:
    # Elsewhere not every maker uses the check digit.
    assert desk.save(ADD, WORK | {"customer": dana.pk, "vin": vin}).status_code == 302


class TestAnotherVin:
    """A VIN on a ticket that no vehicle here has: the same car, or another one."""

    @pytest.fixture
    def ticket(self, camry: Vehicle) -> ServiceTicket:
        Vehicle.objects.filter(pk=camry.pk).update(vin=MISTYPED)
        return ServiceTicketFactory.create(vin=MISTYPED, customer=camry.customer)

    def test_it_is_asked_which(self, desk: Desk, ticket: ServiceTicket) -> None:
        before = everything()
        answer = desk.save(change(ticket), {"vin": RIGHT})
        assert "No vehicle here has this VIN. Say below" in refusals_of(answer)
        assert f'type="radio" name="sure_of_vin" value="same {RIGHT}"' in answer.content.decode()
        assert everything() == before

    def test_the_same_car_has_it_corrected(self, desk: Desk, ticket: ServiceTicket) -> None:
        assert desk.save(change(ticket), answered("same ")).status_code == 302
        ticket.refresh_from_db()
        assert (ticket.vin, ticket.vehicle.vin, ticket.vehicle.plate) == (RIGHT, RIGHT, "KX-1")
        assert Vehicle.objects.count() == 1

    def test_another_one_is_entered(self, desk: Desk, ticket: ServiceTicket) -> None:
        was = ticket.vehicle_id
        answer: Any = desk.save(change(ticket), answered())
        assert Vehicle.objects.count() == 2
        told = desk.get(answer["Location"]).content.decode()
        page = f'/admin/customers/vehicle/{was}/change/">'
        assert "has no ticket any more" in told and page in told

    @pytest.mark.parametrize(
        "answer", ["", "on", "same ", f"same {MISTYPED}", MISTYPED, RIGHT, f"this {RIGHT}"]
    )
    def test_an_answer_about_another_is_none(
        self, desk: Desk, ticket: ServiceTicket, answer: str
    ) -> None:
        typed = {"vin": RIGHT, "sure_of_vin": answer}
        assert "Say below" in refusals_of(desk.save(change(ticket), typed))

    @pytest.mark.parametrize("how", ["new ", "same "])
    def test_where_a_check_digit_tells_little_it_is_a_remark(
        self, desk: Desk, ticket: ServiceTicket, how: str
    ) -> None:
        vin = "WVWZZZ1JZXW000003"
        answer: Any = desk.save(change(ticket), {"vin": vin, "sure_of_vin": f"{how}{vin}"})
        assert "check digit does not match" in desk.get(answer["Location"]).content.decode()

    def test_somebody_who_was_faster_has_it(self, desk: Desk, ticket: ServiceTicket) -> None:
        VehicleFactory.create(vin=RIGHT, customer=ticket.customer, model="Civic")
        before = everything()
        for answer in ("same ", "new "):
            said = refusals_of(desk.save(change(ticket), answered(answer)))
            assert "Civic of Dana Whitlow. If the ticket is for that one" in said
        assert everything() == before

    def test_whoever_may_not_correct_cars_is_not_asked(
        self, clerk: Persona, ticket: ServiceTicket
    ) -> None:
        desk = allowed(clerk, "view_serviceticket", "change_serviceticket", "view_vehicle")
        assert desk.save(change(ticket), answered("same ")).status_code == 302
        assert Vehicle.objects.count() == 2

    def test_a_ticket_stays_with_a_car_whose_vin_was_corrected(
        self, desk: Desk, ticket: ServiceTicket
    ) -> None:
        Vehicle.objects.update(vin=RIGHT)
        assert desk.save(change(ticket), {"mileage": "81200"}).status_code == 302
        assert [car.mileage for car in Vehicle.objects.all()] == [81200]


def answered(how: str = "new ") -> dict[str, Any]:
    return {"vin": RIGHT, "sure_of_vin": f"{how}{RIGHT}"}


def allowed(clerk: Persona, *names: str) -> Desk:
    clerk.user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return Desk(clerk.user)


def test_owners_and_cars_are_named_to_whoever_may_know_them(clerk: Persona, camry: Vehicle) -> None:
    ticket = ServiceTicketFactory.create()
    desk = allowed(clerk, "view_serviceticket", "change_serviceticket")
    said = refusals_of(desk.save(change(ticket), {"vin": camry.vin}))
    assert "This is a vehicle of another customer." in said
    said = refusals_of(allowed(clerk, "view_vehicle").save(change(ticket), {"vin": camry.vin}))
    assert "This is the 2019 Toyota Camry of another customer." in said


def test_who_only_reads_a_ticket_is_asked_nothing(clerk: Persona) -> None:
    desk = allowed(clerk, "view_serviceticket", "add_serviceticket")
    page = desk.get(change(ServiceTicketFactory.create())).content.decode()
    assert "Service ticket" in page and "Sure of vin" not in page


def test_what_may_not_be_seen_is_not_picked(clerk: Persona, camry: Vehicle) -> None:
    desk = allowed(clerk, "add_serviceticket")
    known = {"vehicle": camry.pk, "customer": camry.customer.pk}
    for answer in (desk.get(ADD, known), desk.save(ADD, WORK | known)):
        said = answer.content.decode()
        assert answer.status_code == 200
        assert not any(told in said for told in ("Dana", "Camry", camry.vin))
    assert not ServiceTicket.objects.exists()
    desk = allowed(clerk, "view_vehicle", "view_customer")
    assert desk.save(ADD, WORK | known).status_code == 302


@pytest.mark.parametrize(
    ("typed", "others", "told"),
    [
        ({"mileage": 52_000}, [], True),
        ({"mileage": ""}, [], True),
        ({"vin": valid_vin(999_998), "sure_of_vin": f"new {valid_vin(999_998)}"}, [], True),
        ({"mileage": 52_000}, [520_000], False),  # another ticket says it too
        ({"mileage": 530_000}, [], False),
        ({"notes": "Loud"}, [], False),
    ],
)
def test_a_mileage_that_stays_on_the_car_is_told(
    desk: Desk, typed: dict[str, Any], others: list[int], told: bool
) -> None:
    ticket = ServiceTicketFactory.create(mileage=520_000)
    for other in others:
        ServiceTicketFactory.create(vin=ticket.vin, mileage=other)
    car = ticket.vehicle
    answer: Any = desk.save(change(ticket), typed)
    page = desk.get(answer["Location"]).content.decode()
    assert ("still has 520,000 on the clock" in page) == told
    assert (f'/admin/customers/vehicle/{car.pk}/change/">correct it' in page) == told
    car.refresh_from_db()
    assert (car.mileage == 520_000) == (typed != {"mileage": 530_000})
