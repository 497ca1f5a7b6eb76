"""What whoever wrote a ticket should look at once more, and what is no error."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from autoful.accounts.models import User
from customers.models import Vehicle
from customers.vehicles import check_digit_warning, normalize_vin
from tickets.models import ServiceTicket

# Miles or kilometres more than at the last visit, or of a car that is new here.
MANY, MANY_AT_FIRST = 100_000, 500_000


@dataclass(frozen=True)
class Before:
    """What the shop knew of a vehicle before the ticket was written."""

    known: bool
    mileage: int | None

    @classmethod
    def of(cls, vin: str) -> "Before":
        found = Vehicle.objects.filter(vin=normalize_vin(vin)).values_list("mileage", flat=True)
        return cls(known=bool(found), mileage=found[0] if found else None)


def about_vehicle(ticket: ServiceTicket, before: Before, user: User) -> Iterator[str]:
    """Of the vehicle that a ticket was opened for, or was given."""
    vehicle = ticket.vehicle
    if warning := check_digit_warning(ticket.vin):
        yield warning
    if not before.known and (vehicle.make or vehicle.year):
        yield format_html(
            "{} is new here, by its VIN. {}", vehicle, _to(vehicle, user, "See its page")
        )
    if vehicle.customer_id not in (None, ticket.customer_id):
        sees = user.has_perm("customers.view_customer")
        owner = vehicle.customer if sees else "another customer"
        sold = _to(vehicle, user, "change its owner on its page")
        yield format_html("{} still belongs to {}. If it was sold, {}", vehicle, owner, sold)
    others = ServiceTicket.objects.filter(vehicle=vehicle, status__in=ServiceTicket.OPEN)
    if numbers := [*others.exclude(pk=ticket.pk).order_by("-id").values_list("pk", flat=True)[:3]]:
        url = "admin:tickets_serviceticket_change"
        links = ((reverse(url, args=(number,)), number) for number in numbers)
        open_too = format_html_join(", ", '<a href="{}">#{}</a>', links)
        yield format_html("{} has another open ticket: {}.", vehicle, open_too)


def about_mileage(ticket: ServiceTicket, before: Before, user: User) -> Iterator[str]:
    """Of the mileage that was typed: it may be a digit too few or too many."""
    mileage, last = ticket.mileage, before.mileage
    if mileage is None:
        return
    if last is not None and mileage < last:
        text = "{} had {} on the clock already, and {} is less. If that is wrong, correct it here."
        yield format_html(text, ticket.vehicle, f"{last:,}", f"{mileage:,}")
    elif mileage - (last or 0) > (MANY_AT_FIRST if last is None else MANY):
        since = "" if last is None else f", {mileage - last:,} more than the last time"
        text = "{} has {} on the clock{}. If that is wrong, correct it here, and {}"
        page = _to(ticket.vehicle, user, "on its page")
        yield format_html(text, ticket.vehicle, f"{mileage:,}", since, page)


def left_behind(vehicle_id: int, mileage: int | None, user: User) -> Iterator[str]:
    """Of a mileage that a ticket has no more, and the vehicle still has: whether it came from the ticket
    or was read elsewhere, a person has to know."""
    said = ServiceTicket.objects.filter(vehicle=vehicle_id, mileage=mileage)
    vehicle = Vehicle.objects.filter(pk=vehicle_id, mileage=mileage).first()
    if mileage is None or vehicle is None or said.exists():
        return
    text = "{} still has {} on the clock. If that is wrong, {}"
    page = _to(vehicle, user, "correct it on its page")
    yield format_html(text, vehicle, f"{mileage:,}", page)


def _to(vehicle: Vehicle, user: User, words: str) -> str:
    """The end of a sentence, which leads to a vehicle's page whoever may see it."""
    if not user.has_perm("customers.view_vehicle"):
        return f"{words}."
    url = reverse("admin:customers_vehicle_change", args=(vehicle.pk,))
    return format_html('<a href="{}">{}</a>.', url, words)
