"""The counter's form: customer, car and ticket of somebody new, all or nothing."""

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from autoful.testing.pages import Desk
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from tickets import lifecycle
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

PAGE = "/admin/tickets/serviceticket/walk-in/"
VIN = valid_vin(7)


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def typed(**fields):
    return {
        "name": "Wanda Walker",
        "phone": "+1 555 771 1221",
        "vin": VIN.lower(),
        "plate": "QX-771",
        "service_desc": "Brakes grind",
        "service_date": timezone.localdate().isoformat(),
    } | fields


def everything():
    return [list(m.objects.order_by("pk").values()) for m in (Customer, Vehicle, ServiceTicket)]


def test_one_form_opens_a_ticket_for_somebody_new(desk):
    page = desk.get(PAGE)
    assert "autofocus" in page.content.decode()
    assert page.context_data["form"]["service_date"].value() == timezone.localdate()
    answer = desk.post(PAGE, typed())
    ticket = ServiceTicket.objects.get()
    assert answer["Location"] == f"/admin/tickets/serviceticket/{ticket.pk}/change/"
    assert (ticket.customer.name, ticket.customer.phone) == ("Wanda Walker", "+1 555 771 1221")
    assert (ticket.vin, ticket.vehicle.plate) == (VIN, "QX-771")
    assert ticket.vehicle.customer == ticket.customer
    assert ticket.status_changes.get().actor == desk.user
    assert ticket.customer.ticket_count == 1


def test_somebody_with_the_same_car_is_asked_about(desk):
    VehicleFactory.create(customer=CustomerFactory.create(name="Dana"), vin=VIN)
    before = everything()
    said = desk.post(PAGE, typed()).content.decode()
    assert "This may be Dana, who is here already" in said
    assert everything() == before


@pytest.mark.parametrize(
    "phone",
    ["+1 555 771 1221", "1 (555) 771-1221", "15557711221", "555 771 1221", "+49 555 771 1221"],
)
def test_somebody_with_the_same_phone_is_asked_about(desk, phone):
    known = CustomerFactory.create(name="Wanda W.", phone=phone)
    before = everything()
    page = desk.post(PAGE, typed())
    said = page.content.decode()
    assert "This may be Wanda W., who is here already" in said
    assert f'name="known_customer" value="{known.pk}"' in said and 'value="QX-771"' in said
    assert everything() == before
    assert desk.post(PAGE, typed(somebody_new="on")).status_code == 302
    assert Customer.objects.count() == 2


def test_whoever_is_picked_gets_the_ticket_with_all_that_was_typed_of_the_car(desk):
    known = CustomerFactory.create(name="Wanda W.", phone="555 771 1221", email="w@home.example")
    form = typed(known_customer=str(known.pk), make="Toyota", model="Camry SE", year="2020")
    answer = desk.post(PAGE, form | {"email": "new@home.example"})
    ticket = ServiceTicket.objects.get()
    assert (ticket.customer, Customer.objects.count()) == (known, 1)
    car = ticket.vehicle
    assert (car.plate, car.make, car.model, car.year) == ("QX-771", "Toyota", "Camry SE", 2020)
    told = desk.get(answer["Location"]).content.decode()
    assert "Wanda W. keeps the name and phone and e-mail from before." in told
    known.refresh_from_db()
    assert (known.email, known.ticket_count) == ("w@home.example", 1)


@pytest.mark.parametrize("picked", ["0", "999", "x", "-1", "9" * 30])
def test_who_was_not_asked_about_cannot_be_picked(desk, picked):
    CustomerFactory.create(name="Wanda W.", phone="555 771 1221")
    other = CustomerFactory.create()
    before = everything()
    for one in (picked, str(other.pk)):
        assert desk.post(PAGE, typed(known_customer=one)).status_code == 200
    assert everything() == before


def test_somebody_of_the_same_name_without_phone_or_e_mail_is_asked_about(desk):
    CustomerFactory.create(name="wanda walker")
    assert "This may be wanda walker" in desk.post(PAGE, typed(phone="")).content.decode()
    assert desk.post(PAGE, typed()).status_code == 302  # whose phone tells them apart


def test_the_same_e_mail_is_asked_about_and_a_closed_account_is_not(desk):
    known = CustomerFactory.create(email="wanda@home.example")
    page = desk.post(PAGE, typed(email="Wanda@Home.example"))
    assert page.context_data["form"].known == [known]
    Customer.objects.update(deleted_at=timezone.now())
    assert desk.post(PAGE, typed(email="Wanda@Home.example")).status_code == 302


def test_two_without_phone_and_e_mail_are_two(desk):
    CustomerFactory.create(phone="", email="")
    assert desk.post(PAGE, typed(phone="")).status_code == 302


def test_a_car_that_is_known_keeps_its_owner_and_its_plate(desk):
    before = ServiceTicketFactory.create(vin=VIN)
    Vehicle.objects.update(plate="OLD-1")
    desk.post(PAGE, typed())
    ticket = ServiceTicket.objects.latest("pk")
    assert ticket.vehicle == before.vehicle
    assert (ticket.vehicle.plate, ticket.vehicle.customer) == ("OLD-1", before.customer)


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"vin": "SHORT"}, {"phone": "none"}, {"service_date": "x"}, {"mileage": "-1"}],
)
def test_what_is_mistyped_is_said_and_nothing_is_half_done(desk, wrong):
    before = everything()
    page = desk.post(PAGE, typed(**wrong))
    assert page.status_code == 200
    assert set(page.context_data["form"].errors) == set(wrong)
    assert everything() == before


def test_what_is_wrong_is_where_the_cursor_stands(desk):
    page = desk.post(PAGE, typed(mileage="-4", vin=""))
    form, said = page.context_data["form"], page.content.decode()
    assert "Nothing is saved yet." in said
    assert [len(form.errors[name]) for name in ("vin", "mileage")] == [1, 1]
    focused = [name for name in form.fields if form.fields[name].widget.attrs.get("autofocus")]
    assert focused == ["vin"]
    assert said.count("autofocus") == 1


def test_a_ticket_that_fails_leaves_no_customer(desk, monkeypatch):
    def fail(**kwargs):
        raise lifecycle.TicketNotFound

    monkeypatch.setattr(lifecycle, "open_ticket", fail)
    before = everything()
    page = desk.post(PAGE, typed())
    assert page.status_code == 200 and "Wanda Walker" in page.content.decode()
    assert everything() == before


@pytest.mark.parametrize(
    "permissions", [(), ("add_serviceticket",), ("add_serviceticket", "add_customer")]
)
def test_it_is_for_those_who_may_enter_both(clerk, permissions):
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    desk = Desk(clerk.user)
    assert desk.get(PAGE).status_code == desk.post(PAGE, typed()).status_code == 403
    assert not Customer.objects.exists()
