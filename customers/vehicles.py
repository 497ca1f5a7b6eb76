"""Vehicles: finding them by VIN, decoding the VIN, changing hands."""

import copy
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from vininfo import Vin
from vininfo.exceptions import VininfoException

from autoful import audit
from autoful.actor import Actor
from autoful.db import lock, lock_if_there
from autoful.prepared import Prepared
from autoful.verbs import verb
from customers.errors import (
    CustomerNotFound,
    HasTickets,
    OwnerChanged,
    VehicleNotFound,
    VinTaken,
)
from customers.models import Customer, Vehicle

NORTH_AMERICA = "12345"  # with which its VINs begin
BY_VIN = Prepared(lambda vin: Vehicle.objects.filter(vin=vin))
REMOVED = "vehicle removed"  # an event of its owner, in the audit trail


def normalize_vin(vin: str) -> str:
    """The one spelling a VIN is stored and looked up in."""
    return vin.strip().upper()


def normalize_plate(plate: str) -> str:
    """The spelling a plate is stored in: capitals, spaces as they are typed."""
    return " ".join(plate.upper().split())


def check_digit_warning(vin: str) -> str | None:
    """What to tell whoever typed the VIN, or None.

    Only 17 characters have a check digit, and outside North America not every maker uses it
    (ISO 3779 leaves it open), so a wrong one is reported and not refused.
    """
    if len(vin) != 17:
        return None
    try:
        right = Vin(vin).verify_checksum(check_year=False)
    except VininfoException:
        right = False
    return None if right else "The VIN's check digit does not match. Is it typed correctly?"


def vin_warning(vin: str) -> str | None:
    """The same, and of a VIN that is too short for a car of today, for those who type them all day."""
    if len(vin) < 17:
        return (
            f"This VIN has {len(vin)} characters; since 1981 they have 17. Is it typed correctly?"
        )
    return check_digit_warning(vin)


def vin_doubt(vin: str) -> str | None:
    """The same, where it is most likely wrong: too short, or not what North America's makers must write
    (49 CFR 565.15). Worth a question before a history begins under it."""
    return vin_warning(vin) if len(vin) < 17 or vin[0] in NORTH_AMERICA else None


def decode(vin: str) -> dict[str, Any]:
    """Make, model and model year as far as the VIN tells without asking anybody.

    The sign for the year comes round every thirty years; the newer year is taken. Where North America's
    rule for cars and light trucks, a letter in the seventh place from 2010 on (49 CFR 565.15), speaks
    against it, none is: it may be an old car or a new heavy truck.
    """
    if len(vin) != 17:
        return {}
    try:
        found = Vin(vin)
    except VininfoException:
        return {}
    known: dict[str, Any] = {}
    if found.manufacturer and found.manufacturer != "UnsupportedBrand":
        known["make"] = found.manufacturer[:60]
    model = getattr(getattr(found.details, "model", None), "name", None)
    if model:
        known["model"] = str(model if isinstance(model, str) else model[0])[:60]
    # Next year's models are sold today.
    years = [year for year in found.years or [] if year <= timezone.now().year + 1]
    if vin[0] in NORTH_AMERICA and vin[6].isdigit() and len(years) > 1:
        years = []
    if years:
        known["year"] = max(years)
    return known


def vehicle_for(
    *,
    vin: str,
    customer: Customer | None,
    mileage: int | None = None,
    car: Mapping[str, Any] | None = None,
) -> Vehicle:
    """The vehicle with this VIN, entered as the customer's when the shop sees it first.

    `car` is what was typed of it: plate, make, model, year. Of a new one it goes before what the VIN
    tells; of a known one, what is known stays.

    A known vehicle keeps its owner: whoever brings it in need not own it, and a mistyped VIN must
    not take somebody's car away. One without an owner becomes the customer's. Its mileage only
    rises. `customer` is None for one who closed the account. Part of a ticket's transaction; the
    unique VIN settles a race between two tickets.
    """
    vin = normalize_vin(vin)
    typed = {name: value for name, value in (car or {}).items() if value}
    if "plate" in typed:
        typed["plate"] = normalize_plate(typed["plate"])
    visit = partial(brought_in, customer=customer, mileage=mileage, typed=typed)
    if known := BY_VIN.first(vin):
        with suppress(VehicleNotFound):  # removed a moment ago: it is entered anew
            return visit(vehicle_id=known.pk)
    described = decode(vin) | typed
    try:
        with transaction.atomic():
            return Vehicle.objects.create(vin=vin, customer=customer, mileage=mileage, **described)
    except IntegrityError:
        rival = Vehicle.objects.filter(vin=vin).values_list("pk", flat=True).first()
        return visit(vehicle_id=rival or 0)  # there is no 0: it may be gone again


def brought_in(
    *,
    vehicle_id: int,
    customer: Customer | None,
    mileage: int | None,
    typed: Mapping[str, Any] | None = None,
) -> Vehicle:
    """A known vehicle, with what a visit adds to it: `vehicle_for`."""
    # Locked: otherwise of two tickets opened at once the lower mileage could be written last.
    vehicle = lock(Vehicle.objects.all, vehicle_id, VehicleNotFound())
    typed = typed or {}
    changed = []
    if vehicle.customer_id is None and customer is not None:
        vehicle.customer = customer
        changed.append("customer")
    if mileage is not None and (vehicle.mileage is None or mileage > vehicle.mileage):
        vehicle.mileage = mileage
        changed.append("mileage")
    for name in [name for name in typed if not getattr(vehicle, name)]:
        setattr(vehicle, name, typed[name])
        changed.append(name)
    if changed:
        vehicle.save(update_fields=[*changed, "updated_at"])
    return vehicle


@verb
def delete_vehicle(*, vehicle: Vehicle, actor: Actor) -> None:
    """Remove one that was entered by mistake. Raises VehicleNotFound, OwnerChanged, HasTickets: the
    history of a car belongs to the car."""
    owner = None
    if vehicle.customer_id is not None:
        owner = lock_if_there(Customer.objects.existing, vehicle.customer_id)
    # A ticket that is being opened for it has locked it, or waits here and finds none.
    now = lock(Vehicle.objects.all, vehicle.pk, VehicleNotFound())
    if now.customer_id != vehicle.customer_id:
        raise OwnerChanged
    if owner is not None:
        # By this, closing the owner's account finds what the trail says of the vehicle.
        audit.record_event(owner, REMOVED, said=f"no. {now.pk}", vehicle=now.pk)
    try:
        now.delete()
    except ProtectedError as has:
        raise HasTickets(now, len(has.protected_objects)) from has


@verb
def save_vehicle(*, vehicle: Vehicle, changed: list[str], actor: Actor) -> Vehicle:
    """Enter a vehicle, or write its `changed` fields, the owner among them.

    Raises VinTaken, CustomerNotFound, VehicleNotFound, OwnerChanged.
    """
    vehicle = copy.copy(vehicle)  # a first try that is undone must not leave its number on it
    is_new = vehicle._state.adding
    if vehicle.customer_id is not None and (is_new or "customer" in changed):
        lock(Customer.objects.existing, vehicle.customer_id, CustomerNotFound())
    vehicle.vin = normalize_vin(vehicle.vin)
    if is_new or "plate" in changed:
        vehicle.plate = normalize_plate(vehicle.plate)
    fields = None
    if is_new:
        for field, value in decode(vehicle.vin).items():
            if not getattr(vehicle, field):
                setattr(vehicle, field, value)
    else:
        now = lock(Vehicle.objects.all, vehicle.pk, VehicleNotFound())
        if "customer" not in changed and now.customer_id != vehicle.customer_id:
            # A page opened before: what it says may be the former owner's, erased since.
            raise OwnerChanged
        fields = [*changed, "updated_at"]
    try:
        with transaction.atomic():
            vehicle.save(update_fields=fields)
    except IntegrityError as refused:
        if Vehicle.objects.exclude(pk=vehicle.pk).filter(vin=vehicle.vin).exists():
            raise VinTaken from refused
        raise
    return vehicle
