"""The box on every page of the back office: what the front desk is told over the phone finds it."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from autoful.actor import COMMAND
from autoful.testing.pages import Desk
from autoful.testing.queries import Statements
from customers.models import Vehicle
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tickets.lifecycle import transition
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

VIN = "1HGCM82633A004352"


@pytest.fixture
def shop():
    sarah = CustomerFactory.create(
        name="Sarah Johnson", phone="+1 (555) 010-2030", email="sarah@example.com"
    )
    ticket = ServiceTicketFactory.create(customer=sarah, vin=VIN)
    Vehicle.objects.update(plate="KL-AB 123", make="Honda", model="Accord", year=2003)
    mechanic = MechanicFactory.create(name="Lisa Raymund")
    part = PartFactory.create(part_name="Brake Pad Set", part_number="BP-4711")
    for _ in range(3):
        ServiceTicketFactory.create(customer=CustomerFactory.create(phone="+1 555 090 9090"))
        PartFactory.create()
    return {"customer": sarah, "ticket": ticket, "vehicle": ticket.vehicle, "part": part} | {
        "mechanic": mechanic
    }


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def ask(desk, text):
    return desk.get("/admin/search/", {"extended": "1", "s": text})


def found(desk, text):
    """The links to rows."""
    links = [item.link for item in ask(desk, text).context_data["results"]]
    return [link for link in links if link.endswith("/change/")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sarah johnson", "customer"),
        ("  Johnson ", "customer"),
        ("sarah@ex", "customer"),
        ("5550102030", "customer"),
        ("555 010-2030", "customer"),
        ("+1 555 010 2030", "customer"),
        (VIN.lower(), "vehicle"),
        (VIN[:15], "vehicle"),
        (VIN[-6:], "vehicle"),
        ("kl-ab 123", "vehicle"),
        ("klab123", "vehicle"),
        ("KL AB", "vehicle"),
        ("accord", "vehicle"),
        ("2003 honda accord", "vehicle"),
        ("accord honda", "vehicle"),
        ("johnson sarah", "customer"),
        ("bp4711", "part"),
        ("set brake", "part"),
        ("lisa ray", "mechanic"),
        ("bp-4711", "part"),
        ("pad set", "part"),
        ("brake pads", "part"),
    ],
)
def test_what_is_read_out_over_the_phone_finds_it(desk, shop, text, kind):
    Vehicle.objects.exclude(pk=shop["vehicle"].pk).update(plate="")
    urls = {"customer": "customers/customer", "vehicle": "customers/vehicle"}
    urls |= {
        "ticket": "tickets/serviceticket",
        "part": "inventory/part",
        "mechanic": "mechanics/mechanic",
    }
    # A customer is found with their car, and a car with what is open of it.
    with_it = {"customer": ["vehicle", "ticket"], "vehicle": ["ticket"]}
    kinds = [kind, *with_it.get(kind, [])]
    assert found(desk, text) == [f"/admin/{urls[k]}/{shop[k].pk}/change/" for k in kinds]


@pytest.mark.parametrize("text", ["johnson accord", "accord 2003 johnson"])
def test_owner_and_car_in_one_line(desk, shop, text):
    assert found(desk, text) == [f"/admin/customers/vehicle/{shop['vehicle'].pk}/change/"]


@pytest.mark.parametrize(
    ("make", "model", "text"),
    [
        ("Ford", "F-150", "f150"),
        ("Honda", "CR-V", "honda crv"),
        ("Mercedes-Benz", "C 300", "c300"),
        ("Chevrolet", "Silverado", "chevy silverado"),
        ("Volkswagen", "Golf", "2003 VW Golf"),
    ],
)
def test_a_model_is_found_as_it_is_said(desk, shop, make, model, text):
    Vehicle.objects.filter(pk=shop["vehicle"].pk).update(make=make, model=model)
    assert found(desk, text)[0] == f"/admin/customers/vehicle/{shop['vehicle'].pk}/change/"
    assert len(found(desk, text)) == 2  # and its open ticket


@pytest.mark.parametrize("name", ["Refrigerant R-1234yf", "Refrigerant R 1234YF"])
@pytest.mark.parametrize("text", ["r1234yf", "R-1234yf", "refrigerant r1234"])
def test_a_part_is_found_however_its_grade_is_written(desk, name, text):
    part = PartFactory.create(part_name=name)
    PartFactory.create(part_name="Refrigerant R-134a")
    assert found(desk, text) == [f"/admin/inventory/part/{part.pk}/change/"]


@pytest.mark.parametrize("form", ["{}", "#{}", " {} ", "ticket {}", "Ticket #{}"])
def test_a_tickets_number_finds_it(desk, shop, form):
    number = shop["ticket"].pk
    url = f"/admin/tickets/serviceticket/{number}/change/"
    assert url in found(desk, form.format(number))


@pytest.mark.parametrize(
    "text", ["", " ", "%", "_", "%%%", "9" * 30, "#", "zz", "x" * 500, "a " * 50, "\x00"]
)
def test_what_fits_nothing_finds_nothing(desk, shop, text):
    answer = ask(desk, text)
    assert answer.status_code == 200
    assert found(desk, text) == []
    if text.strip():
        assert "Nothing found" in answer.content.decode()


def test_pages_are_found_by_their_names(desk):
    items = ask(desk, "vehicl").context_data["results"]
    assert [item.link for item in items] == ["/admin/customers/vehicle/"]


def test_a_ticket_that_is_over_is_found_by_its_number_alone(desk, shop):
    transition(ticket=shop["ticket"], to="cancelled", actor=COMMAND)
    page = f"/admin/tickets/serviceticket/{shop['ticket'].pk}/change/"
    assert page not in found(desk, "sarah johnson")
    assert page in found(desk, str(shop["ticket"].pk))


def test_a_ticket_of_this_number_comes_first(desk, shop):
    part = PartFactory.create(part_name=f"Bulb no. {shop['ticket'].pk}")
    ticket = f"/admin/tickets/serviceticket/{shop['ticket'].pk}/change/"
    links = found(desk, str(shop["ticket"].pk))
    assert links[0] == ticket and f"/admin/inventory/part/{part.pk}/change/" in links


def test_nobody_finds_what_they_may_not_see(clerk, shop):
    desk = Desk(clerk.user)
    words = ["Sarah", "5550102030", VIN, "KL-AB", "BP-4711", str(shop["ticket"].pk)]
    assert [found(desk, word) for word in words] == [[]] * len(words)
    clerk.user.user_permissions.set(Permission.objects.filter(codename="view_vehicle"))
    desk = Desk(clerk.user)
    answer = ask(desk, VIN).content.decode()
    assert VIN in answer and "Sarah" not in answer
    assert found(desk, "Sarah") == []


def test_a_mechanic_finds_the_tickets_they_work_on(clerk, shop):
    clerk.user.user_permissions.set(Permission.objects.filter(codename="view_own_work"))
    mine = ServiceTicketFactory.create(mechanics=[MechanicFactory.create(user=clerk.user)])
    desk = Desk(clerk.user)
    assert len(found(desk, str(mine.pk))) == 1
    assert found(desk, str(shop["ticket"].pk)) == []


def test_a_closed_account_is_not_found(desk, shop):
    close_customer(customer=shop["customer"], actor=COMMAND)
    assert found(desk, "Deleted customer") == []


def test_what_was_found_is_kept_nowhere(desk, shop):
    answer = ask(desk, "Johnson")
    assert "no-store" in answer["Cache-Control"]
    shop["customer"].name = "Sally Smith"
    shop["customer"].save(update_fields=["name"])
    assert found(desk, "Johnson") == [] and len(found(desk, "Smith")) == 3  # the car and its ticket


def test_it_costs_the_same_however_much_is_found(desk, shop):
    def queries():
        with Statements(connection) as seen:
            found(desk, "o")
        return len(seen)

    queries()
    few = queries()
    for number in range(4):
        CustomerFactory.create(name=f"Otto {number}")
        PartFactory.create(part_name=f"Oil {number}")
    assert queries() == few


def test_names_are_shown_as_they_are_written(desk):
    CustomerFactory.create(name="<script>alert(1)</script>")
    answer = ask(desk, "alert").content.decode()
    assert "<script>alert" not in answer and "&lt;script&gt;alert(1)" in answer
