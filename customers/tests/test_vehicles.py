"""Vehicles: VINs, owners, mileage."""

from typing import Any

import pytest

from autoful.actor import COMMAND
from autoful.errors import Missing
from customers import vehicles
from customers.errors import CustomerNotFound, OwnerChanged, VinTaken
from customers.models import Customer, Vehicle
from customers.registration import close_customer
from customers.tests.factories import CustomerFactory, VehicleFactory, valid_vin
from customers.vehicles import check_digit_warning, decode, save_vehicle, vehicle_for
from tests.soundness import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("vin", "warned"),
    [
        ("1HGCM82633A004352", False),  # the example of 49 CFR 565's textbooks
        ("11111111111111111", False),
        ("1HGCM82643A004352", True),
        ("WVWZZZ1JZXW000001", True),  # made in Europe: no check digit
        ("ABC12345678", False),  # older and shorter VINs have none
    ],
)
def test_the_check_digit_is_reported(vin: str, warned: bool) -> None:
    assert (check_digit_warning(vin) is not None) is warned


@pytest.mark.parametrize(
    ("vin", "known"),
    [
        ("1HGCM82633A004352", {"make": "Honda", "year": 2003}),
        ("1FTFW1E50KFA00001", {"year": 2019}),
        ("WVWZZZ1JZXW000001", {"year": 1999}),
        ("ABC12345678", {}),
        ("00000000000000000", {}),
    ],
)
def test_decode(vin: str, known: dict[str, Any]) -> None:
    decoded = decode(vin)
    assert {name: decoded[name] for name in known} == known
    assert set(decoded) <= {"make", "model", "year"}


@pytest.mark.parametrize("vin", ["1M8GDM9AXKP042788", "1XKAD49X7FJ412345"])
def test_a_year_that_may_be_thirty_years_older_is_none(vin: str) -> None:
    """A digit in the seventh place: of 1989, or a heavy vehicle of 2019."""
    assert "year" not in decode(vin)


CAR = {"plate": "TYPED-1", "make": "Acura", "model": "", "year": 1999}


def test_what_was_typed_of_a_new_car_goes_before_its_vin() -> None:
    vehicle = vehicle_for(vin="1HGCM82633A004352", customer=CustomerFactory.create(), car=CAR)
    assert (vehicle.plate, vehicle.make, vehicle.year) == ("TYPED-1", "Acura", 1999)


def test_of_a_car_that_somebody_enters_at_the_same_time_what_is_known_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def somebody_else(vin: str) -> dict[str, Any]:
        VehicleFactory.create(vin=vin, plate="THEIRS", make="Honda", model="Accord", year=None)
        return {}

    monkeypatch.setattr(vehicles, "decode", somebody_else)
    vehicle = vehicle_for(vin="1HGCM82633A004352", customer=CustomerFactory.create(), car=CAR)
    assert (vehicle.plate, vehicle.make, vehicle.model) == ("THEIRS", "Honda", "Accord")
    assert Vehicle.objects.get().year == 1999  # which nobody had known


def test_a_new_vin_is_a_new_vehicle_of_the_customers() -> None:
    customer = CustomerFactory.create()
    vehicle = vehicle_for(vin=" 1hgcm82633a004352 ", customer=customer, mileage=7)
    assert Vehicle.objects.get() == vehicle
    assert (vehicle.vin, vehicle.customer, vehicle.mileage) == ("1HGCM82633A004352", customer, 7)
    assert (vehicle.make, vehicle.year) == ("Honda", 2003)


def test_a_known_vehicle_keeps_its_owner() -> None:
    known = VehicleFactory.create()
    assert vehicle_for(vin=known.vin.lower(), customer=CustomerFactory.create()) == known
    assert Vehicle.objects.get().customer == known.customer


def test_a_vehicle_without_an_owner_becomes_the_customers() -> None:
    known, customer = VehicleFactory.create(customer=None), CustomerFactory.create()
    vehicle_for(vin=known.vin, customer=customer)
    assert Vehicle.objects.get().customer == customer


@pytest.mark.parametrize(
    ("was", "given", "now"),
    [(50, 60, 60), (50, 40, 50), (None, 5, 5), (50, None, 50), (None, 0, 0)],
)
def test_mileage_only_rises(was: int | None, given: int | None, now: int | None) -> None:
    known = VehicleFactory.create(mileage=was)
    vehicle_for(vin=known.vin, customer=CustomerFactory.create(), mileage=given)
    assert Vehicle.objects.get().mileage == now


def test_save_a_new_vehicle_decodes_what_was_not_typed() -> None:
    vehicle = Vehicle(vin="1hgcm82633a004352", customer=CustomerFactory.create(), make="Acura")
    save_vehicle(vehicle=vehicle, changed=[], actor=COMMAND)
    found = Vehicle.objects.get()
    assert (found.vin, found.make, found.year) == ("1HGCM82633A004352", "Acura", 2003)


def test_save_writes_the_changed_fields_and_no_other() -> None:
    vehicle, buyer = VehicleFactory.create(colour="red", plate="AAA 111"), CustomerFactory.create()
    Vehicle.objects.update(colour="blue")  # by somebody else, meanwhile
    vehicle.customer, vehicle.plate = buyer, "BBB 222"
    save_vehicle(vehicle=vehicle, changed=["customer", "plate"], actor=COMMAND)
    found = Vehicle.objects.get()
    assert (found.customer, found.plate, found.colour) == (buyer, "BBB 222", "blue")


def test_save_vehicle_refusals() -> None:
    taken, mine, closed = valid_vin(900), VehicleFactory.create(), CustomerFactory.create()
    VehicleFactory.create(vin=taken)
    close_customer(customer=closed, actor=COMMAND)
    with refused(VinTaken):
        save_vehicle(vehicle=Vehicle(vin=taken.lower()), changed=[], actor=COMMAND)
    mine.vin = taken
    with refused(VinTaken):
        save_vehicle(vehicle=mine, changed=["vin"], actor=COMMAND)
    for nobody in (closed, Customer(pk=999)):
        with refused(CustomerNotFound):
            vehicle = Vehicle(vin=valid_vin(901), customer_id=nobody.pk)
            save_vehicle(vehicle=vehicle, changed=[], actor=COMMAND)
    gone = VehicleFactory.create()
    Vehicle.objects.filter(pk=gone.pk).delete()
    with refused(Missing):
        save_vehicle(vehicle=gone, changed=["plate"], actor=COMMAND)


def test_a_page_opened_before_the_car_was_sold_writes_nothing() -> None:
    seller, buyer = CustomerFactory.create(), CustomerFactory.create()
    vehicle = VehicleFactory.create(customer=seller)
    page = Vehicle.objects.get(pk=vehicle.pk)
    vehicle.customer = buyer
    save_vehicle(vehicle=vehicle, changed=["customer"], actor=COMMAND)
    close_customer(customer=buyer, actor=COMMAND)
    page.plate = "OLD 123"
    with refused(OwnerChanged):
        save_vehicle(vehicle=page, changed=["plate"], actor=COMMAND)
