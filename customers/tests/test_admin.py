"""The back office's pages of customers and vehicles."""

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from autoful.accounts.models import User
from autoful.accounts.tests.factories import SuperuserFactory
from autoful.db import lock
from autoful.testing.pages import Desk, refusals_of
from customers import vehicles
from customers.models import Customer, Vehicle
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

LIST = reverse("admin:customers_customer_changelist")
ADD = reverse("admin:customers_customer_add")
ONE_CAR = {"vehicles-TOTAL_FORMS": "1"}


def change(customer):
    return reverse("admin:customers_customer_change", args=(customer.pk,))


def delete(customer):
    return reverse("admin:customers_customer_delete", args=(customer.pk,))


@pytest.fixture
def desk(boss):
    return Desk(boss.user)


def shown(page):
    return {row.pk for row in page.context_data["cl"].result_list}


def test_a_walk_in_with_a_car_in_one_form(desk):
    vin = valid_vin(1)
    typed = {"name": "Ann Lee", "email": "Ann@Example.com", "phone": "+1 555 010 1111"}
    answer = desk.save(ADD, typed | ONE_CAR | {"vehicles-0-vin": vin.lower()})
    assert answer.status_code == 302
    ann = Customer.objects.get()
    assert (ann.name, ann.email, ann.user) == ("Ann Lee", "ann@example.com", None)
    assert ann.vehicles.get().vin == vin
    assert ann.vehicles.get().year == 2003  # decoded by the verb
    for row in (ann, ann.vehicles.get()):
        entry = LogEntry.objects.get_for_object(row).get()
        assert entry.actor == desk.user
        assert entry.additional_data["role"] == "back_office"


@pytest.mark.parametrize(
    "typed", [{"phone": "555.010.1111"}, {"email": "ANN@example.com", "phone": "+1 555 010 9999"}]
)
def test_somebody_who_is_here_already_is_asked_about(desk, typed):
    ann = CustomerFactory.create(name="Ann Lee", email="ann@example.com", phone="+555 010 1111")
    answer = desk.save(ADD, {"name": "A. Lee"} | typed)
    assert f'This may be <a href="{change(ann)}">Ann Lee</a>' in refusals_of(answer)
    assert Customer.objects.count() == 1
    assert desk.save(ADD, {"name": "A. Lee", "somebody_new": "on"} | typed).status_code == 302
    assert Customer.objects.count() == 2


def test_who_may_see_no_customers_is_not_told_who_is_here(clerk):
    CustomerFactory.create(name="Ann Lee", phone="+1 555 010 1111")
    clerk.user.user_permissions.set(Permission.objects.filter(codename="add_customer"))
    typed = {"name": "A. Lee", "phone": "+1 555 010 1111"}
    assert Desk(clerk.user).save(ADD, typed).status_code == 302
    assert Customer.objects.count() == 2


@pytest.mark.parametrize("plate", ["qx-771", "  Qx-771 "])
def test_a_plate_is_written_in_capitals(desk, plate):
    car = VehicleFactory.create()
    desk.save(reverse("admin:customers_vehicle_change", args=(car.pk,)), {"plate": plate})
    car.refresh_from_db()
    assert car.plate == "QX-771"


def test_a_vin_of_sixteen_characters_is_told(desk):
    page = reverse("admin:customers_vehicle_add")
    told = desk.get(desk.save(page, {"vin": "1HGCM82633A00435"})["Location"]).context["messages"]
    assert any("This VIN has 16 characters" in str(message) for message in told)


def test_a_plate_that_is_on_another_car_is_told(desk):
    other, car = VehicleFactory.create(plate="QXZ 4011"), VehicleFactory.create()
    pages = [
        (reverse("admin:customers_vehicle_change", args=(car.pk,)), {"plate": "qxz-4011"}),
        (change(car.customer), {"vehicles-0-plate": "QXZ4011"}),
    ]
    for page, typed in pages:
        told = desk.get(desk.save(page, typed)["Location"]).context["messages"]
        said = " ".join(str(message) for message in told)
        assert "is on another vehicle, too" in said and f"/{other.pk}/change/" in said


def test_a_plate_is_the_whole_plate_and_no_car_is_another_one_than_itself(desk):
    VehicleFactory.create(plate="QX-771")
    page = change(CustomerFactory.create())
    typed = ONE_CAR | {"vehicles-0-vin": valid_vin(9), "vehicles-0-plate": "QX"}
    told = desk.get(desk.save(page, typed)["Location"]).context["messages"]
    assert not any("another vehicle" in str(message) for message in told)


@pytest.mark.parametrize(
    "names", [["add_vehicle"], ["change_customer", "view_customer", "add_vehicle"]]
)
def test_who_may_see_no_vehicles_is_told_none(clerk, names):
    other = VehicleFactory.create(plate="QX-771")
    clerk.user.user_permissions.set(Permission.objects.filter(codename__in=names))
    desk = Desk(clerk.user)
    typed = {"vin": valid_vin(9), "plate": "QX771"}
    if len(names) == 1:
        answer = desk.post(reverse("admin:customers_vehicle_add"), typed)
    else:
        rows = {f"vehicles-0-{name}": value for name, value in typed.items()}
        answer = desk.save(change(CustomerFactory.create()), rows | ONE_CAR)
    assert answer.status_code == 302 and Vehicle.objects.count() == 2
    told = [str(message) for message in desk.get("/admin/").context["messages"]]
    assert told and not any(other.vin in message for message in told)


@pytest.mark.parametrize("said", ["100000", "2000"])
def test_more_rows_than_anybody_types_are_not_drawn(desk, said):
    page = change(CustomerFactory.create())
    answer = desk.save(page, {"vehicles-TOTAL_FORMS": said})
    assert "at most 100 forms" in refusals_of(answer)
    assert len(answer.context_data["inline_admin_formsets"][0].formset.forms) == 100


def test_a_car_that_is_there_already_refuses_the_whole_page(desk):
    there = VehicleFactory.create()
    before = list(Customer.objects.values()), list(Vehicle.objects.values())
    typed = {"name": "Ann Lee", "email": "", "phone": ""} | ONE_CAR
    # In small letters the form cannot tell; the verb can.
    answer = desk.save(ADD, typed | {"vehicles-0-vin": there.vin.lower()})
    assert "Another vehicle has this VIN already." in refusals_of(answer)
    assert 'value="Ann Lee"' in answer.content.decode()
    assert there.vin.lower() in answer.content.decode()
    assert (list(Customer.objects.values()), list(Vehicle.objects.values())) == before
    assert not LogEntry.objects.filter(actor=desk.user).exclude(action=3).exists()


def test_the_account_s_e_mail_changes_with_it(desk):
    sarah = CustomerFactory.create()
    assert desk.save(change(sarah), {"email": "New@Example.com"}).status_code == 302
    sarah.refresh_from_db()
    assert sarah.email == sarah.user.email == "new@example.com"
    assert LogEntry.objects.get_for_object(sarah.user).first().actor == desk.user


def test_an_e_mail_somebody_has_is_refused_at_its_field(desk):
    sarah, tom = CustomerFactory.create(), CustomerFactory.create()
    answer = desk.save(change(sarah), {"email": tom.email, "name": "Changed"})
    assert "An account with this email already exists." in refusals_of(answer)
    assert "email" in answer.context_data["adminform"].form.errors
    assert 'value="Changed"' in answer.content.decode()
    before = sarah.name
    sarah.refresh_from_db()
    assert sarah.name == before


def test_an_account_keeps_an_e_mail_and_a_walk_in_needs_none(desk):
    assert "required" in refusals_of(desk.save(change(CustomerFactory.create()), {"email": ""}))
    walk_in = CustomerFactory.create(user=None)
    assert desk.save(change(walk_in), {"email": "", "phone": ""}).status_code == 302
    walk_in.refresh_from_db()
    assert (walk_in.email, walk_in.phone) == ("", "")


def test_saving_unchanged_changes_nothing(desk):
    vehicle = VehicleFactory.create()
    before = Customer.objects.values().get(), Vehicle.objects.values().get()
    assert desk.save(change(vehicle.customer), {}).status_code == 302
    assert (Customer.objects.values().get(), Vehicle.objects.values().get()) == before


def test_a_car_is_edited_on_its_owner_s_page(desk):
    vehicle = VehicleFactory.create()
    answer = desk.save(change(vehicle.customer), {"vehicles-0-plate": "AB 123"})
    assert answer.status_code == 302
    vehicle.refresh_from_db()
    assert vehicle.plate == "AB 123"


def test_a_new_car_locks_its_owner_before_any_car_is_locked(desk, monkeypatch):
    owner = CustomerFactory.create()
    one, two = VehicleFactory.create(customer=owner), VehicleFactory.create(customer=owner)
    locked = []

    def locking(rows, pk, *args):
        locked.append((rows().model, pk))
        return lock(rows, pk, *args)

    monkeypatch.setattr(vehicles, "lock", locking)
    typed = {"vehicles-1-plate": "B 2", "vehicles-0-plate": "A 1", "vehicles-2-vin": valid_vin(77)}
    typed |= {"vehicles-TOTAL_FORMS": "3"}
    assert desk.save(change(owner), typed).status_code == 302
    assert locked == [(Customer, owner.pk), (Vehicle, one.pk), (Vehicle, two.pk)]
    assert owner.vehicles.count() == 3


def test_deleting_says_that_a_car_is_in_the_shop(desk):
    waiting, gone = CustomerFactory.create_batch(2)
    for status in ("pending", "in_progress", "completed", "cancelled"):
        ServiceTicketFactory.create(customer=waiting, status=status)
    ServiceTicketFactory.create(customer=gone, status="completed")
    said = "2 service tickets are still open"
    assert said in desk.get(delete(waiting)).content.decode()
    assert "still open" not in desk.get(delete(gone)).content.decode()
    picked = {"action": "delete_selected", "_selected_action": [waiting.pk, gone.pk]}
    assert said in desk.post(LIST, picked).content.decode()
    ServiceTicketFactory.create(customer=gone)
    assert "1 service ticket is still open" in desk.get(delete(gone)).content.decode()


def test_deleting_closes_and_says_so(desk):
    ticket = ServiceTicketFactory.create()
    customer, user = ticket.customer, ticket.customer.user
    page = desk.get(delete(customer)).content.decode()
    assert "tickets stay for the books" in page
    assert "erases name, e-mail" in page
    assert desk.post(delete(customer), {"post": "yes"}).status_code == 302
    customer.refresh_from_db()
    user.refresh_from_db()
    assert (customer.name, customer.email) == ("Deleted customer", "")
    assert customer.deleted_at is not None
    assert not user.is_active
    ticket.refresh_from_db()
    assert ticket.customer == customer
    # Closed: out of the list unless asked for, and no more to be edited.
    assert customer.pk not in shown(desk.get(LIST))
    assert shown(desk.get(LIST, {"standing": "closed"})) == {customer.pk}
    assert desk.get(change(customer)).status_code == 200
    assert desk.post(change(customer), {"name": "Back again"}).status_code == 403
    assert desk.post(delete(customer), {"post": "yes"}).status_code == 403


def test_deleting_several_is_one_step(desk, monkeypatch):
    first, second = CustomerFactory.create(), CustomerFactory.create()
    data = {"action": "delete_selected", "_selected_action": [first.pk, second.pk]}
    page = desk.post(LIST, data)
    assert "tickets stay for the books" in page.content.decode()
    assert first.name in page.content.decode()
    # The second one is closed by somebody else meanwhile.
    from customers import admin, registration

    def rival(*, customer, actor):
        if customer.pk == second.pk:
            registration.close_customer(customer=customer, actor=actor)
        registration.close_customer(customer=customer, actor=actor)

    monkeypatch.setattr(admin, "close_customer", rival)
    answer = desk.post(LIST, data | {"post": "yes"}, follow=True)
    said = [str(message) for message in answer.context["messages"]]
    assert said == ["Customer not found. Nothing was changed."]
    assert Customer.objects.existing().count() == 2
    monkeypatch.undo()
    desk.post(LIST, data | {"post": "yes"})
    assert not Customer.objects.existing().exists()


@pytest.mark.parametrize("words", ["Findme", "findme@", "999 888", "1HGCM82", "FM 1"])
def test_search(desk, words):
    vehicle = VehicleFactory.create(plate="FM 1")
    wanted = vehicle.customer
    Customer.objects.filter(pk=wanted.pk).update(
        name="Findme Smith", email="findme@example.com", phone="+1 999 888"
    )
    CustomerFactory.create()
    assert shown(desk.get(LIST, {"q": words})) == {wanted.pk}


def test_the_number_of_tickets_survives_a_search_over_cars(desk):
    customer = ServiceTicketFactory.create(vin=valid_vin(1)).customer
    for number in (2, 3):
        ServiceTicketFactory.create(customer=customer, vin=valid_vin(number))
    page = desk.get(LIST, {"q": "1HGCM82"})
    assert [row.ticket_count for row in page.context_data["cl"].result_list] == [3]


def test_a_clerk_cannot_change_what_the_owner_signs_in_with(clerk):
    owner = CustomerFactory.create(user=SuperuserFactory.create(email="owner@example.com"))
    for name in ("view_customer", "change_customer"):
        clerk.user.user_permissions.add(Permission.objects.get(codename=name))
    Desk(clerk.user).save(change(owner), {"email": "mine@example.com", "name": "Owner"})
    owner.refresh_from_db()
    assert owner.name == "Owner"
    assert owner.user.email == "owner@example.com"
    assert User.objects.filter(email="mine@example.com").count() == 0


class TestVehicles:
    add = reverse("admin:customers_vehicle_add")

    def test_enter_and_hand_over(self, desk):
        old, new = CustomerFactory.create(), CustomerFactory.create()
        vin = valid_vin(7)
        typed = {"vin": vin, "customer": old.pk, "plate": "AB 1"}
        assert desk.save(self.add, typed).status_code == 302
        vehicle = Vehicle.objects.get()
        assert (vehicle.customer, vehicle.make, vehicle.year) == (old, "Honda", 2003)
        page = reverse("admin:customers_vehicle_change", args=(vehicle.pk,))
        assert desk.save(page, {"customer": new.pk}).status_code == 302
        vehicle.refresh_from_db()
        assert vehicle.customer == new
        entry = LogEntry.objects.get_for_object(vehicle).first()
        assert (entry.actor, entry.additional_data["role"]) == (desk.user, "back_office")

    def test_a_wrong_check_digit_is_said_and_saved(self, desk):
        wrong = "1HGCM82633A000000"
        answer = desk.save(self.add, {"vin": wrong})
        assert answer.status_code == 302
        said = [str(message) for message in desk.get(LIST).context["messages"]]
        assert any("check digit" in message for message in said)

    def test_an_owner_who_is_gone_is_refused(self, desk):
        gone = CustomerFactory.create(user=None)
        desk.post(delete(gone), {"post": "yes"})
        answer = desk.save(self.add, {"vin": valid_vin(7), "customer": gone.pk})
        assert "Customer not found." in refusals_of(answer)
        assert not Vehicle.objects.exists()

    def test_only_those_who_are_here_are_offered(self, desk):
        here, gone = CustomerFactory.create(), CustomerFactory.create()
        desk.post(delete(gone), {"post": "yes"})
        asked = {"app_label": "customers", "model_name": "vehicle", "field_name": "customer"}
        offered = desk.get(reverse("admin:autocomplete"), asked).json()["results"]
        assert [row["id"] for row in offered] == [str(here.pk)]


def test_an_address_does_not_answer_what_was_not_asked(desk):
    CustomerFactory.create(name="Wanda", phone="+1 555 771 1221")
    typed = {"name": "Wanda W.", "phone": "555 771 1221"}
    answer = desk.save(f"{ADD}?somebody_new=on", typed)
    assert "This may be" in refusals_of(answer) and Customer.objects.count() == 1
