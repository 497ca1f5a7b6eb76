"""What whoever wrote a ticket should look at once more, and is no error.

Whoever may not see vehicles is told nothing that the shop knows of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from autoful.accounts.models import User
from autoful.actor import Role
from customers.models import Customer, Vehicle
from customers.vehicles import normalize_vin, vin_doubt, vin_warning
from tickets.models import OWN_WORK, ServiceTicket

# Miles or kilometres more than at the last visit, or of a car that is new here.
MANY, MANY_AT_FIRST = 100_000, 500_000


@dataclass(frozen=True)
class Before:
    """What the shop knew of a vehicle before the ticket was written."""

    known: bool
    mileage: int | None

    @classmethod
    def of(cls, vin: str) -> "Before":
        found = list(
            Vehicle.objects.filter(vin=normalize_vin(vin)).values_list("mileage", flat=True)
        )
        return cls(known=bool(found), mileage=found[0] if found else None)


def about_vehicle(ticket: ServiceTicket, before: Before, user: User) -> Iterator[str]:
    """Of the vehicle that a ticket was opened for, or was given."""
    vehicle = ticket.vehicle
    if not _sees(user):
        return
    if not before.known and (vehicle.make or vehicle.year):
        yield format_html("{} is new here. {}", vehicle, _page(vehicle, "See its page"))
    if vehicle.customer_id not in (None, ticket.customer_id):
        sees = user.has_perm("customers.view_customer")
        owner = vehicle.customer if sees else "another customer"
        sold = _page(vehicle, "change its owner on its page")
        text = "{} still belongs to {}. If the ticket is theirs, cancel it and open it for them. If it was sold, {}"
        yield format_html(text, vehicle, owner, sold)
    others = ServiceTicket.objects.filter(vehicle=vehicle, status__in=ServiceTicket.OPEN)
    others = others.exclude(pk=ticket.pk).order_by("-id")
    if user.has_perm("tickets.view_serviceticket") and (found := others[:3]):
        url = "admin:tickets_serviceticket_change"
        links = ((reverse(url, args=(other.pk,)), other.pk) for other in found)
        open_too = format_html_join(", ", '<a href="{}">#{}</a>', links)
        yield format_html("{} has another open ticket: {}.", vehicle, open_too)


def about_vin(ticket: ServiceTicket, before: Before) -> Iterator[str]:
    """Of a VIN that was typed and is new here: of a doubt, whoever typed it was asked."""
    if not before.known and not vin_doubt(ticket.vin) and (warning := vin_warning(ticket.vin)):
        yield warning


def about_reaching(customer: Customer) -> Iterator[str]:
    """Of whoever nobody can call when the car is ready."""
    if not customer.phone and not customer.email:
        url = reverse("admin:customers_customer_change", args=(customer.pk,))
        text = '{} has neither phone nor e-mail. <a href="{}">Enter one on their page</a>.'
        yield format_html(text, customer, url)


def about_work(user: User) -> Iterator[str]:
    """Of an account that sees the tickets it works on, and works on none."""
    own_only = user.has_perm(OWN_WORK) and not user.has_perm("tickets.view_serviceticket")
    if own_only and not hasattr(user, Role.MECHANIC):
        yield f"{user} sees the tickets they work on, and is no mechanic yet: enter them under Mechanics."


def about_mileage(
    ticket: ServiceTicket, before: Before, user: User, *, was: int | None = None
) -> Iterator[str]:
    """Of the mileage that was typed: it may be a digit too few or too many. `was` is what the ticket said."""
    mileage, last = ticket.mileage, before.mileage
    # A ticket that is over may say less than the car has by now.
    if mileage is None or not ticket.is_open or not _sees(user):
        return
    if last is not None and mileage < last:
        if last == was:  # which the vehicle has from here: `left_behind` says it
            return
        text = "{} had {} on the clock already, and {} is less. If that is wrong, correct it here."
        yield format_html(text, ticket.vehicle, f"{last:,}", f"{mileage:,}")
    elif mileage - (last or 0) > (MANY_AT_FIRST if last is None else MANY):
        since = "" if last is None else f", {mileage - last:,} more than the last time"
        text = "{} has {} on the clock{}. If that is wrong, correct it here, and {}"
        page = _page(ticket.vehicle, "on its page")
        yield format_html(text, ticket.vehicle, f"{mileage:,}", since, page)


def kept(vehicle: Vehicle, car: dict[str, Any]) -> Iterator[str]:
    """Of what was typed of a vehicle that was here before, and stays as it is known."""
    differ = [name for name, typed in car.items() if typed and getattr(vehicle, name) != typed]
    if differ:
        page = _page(vehicle, "correct it on its page")
        text = "{} was here before and keeps its {}. If what you typed is right, {}"
        yield format_html(text, vehicle, " and ".join(differ), page)


def kept_of(customer: Customer, typed: dict[str, str]) -> Iterator[str]:
    """Of what was typed of a customer who was here before, and stays as it is known."""
    if differ := [name for name, text in typed.items() if text and getattr(customer, name) != text]:
        url = reverse("admin:customers_customer_change", args=(customer.pk,))
        text = '{} keeps the {} from before. If it has changed, <a href="{}">correct it on their page</a>.'
        yield format_html(text, customer, " and ".join(differ).replace("email", "e-mail"), url)


def left_behind(vehicle_id: int, mileage: int | None, user: User) -> Iterator[str]:
    """Of a mileage that a ticket has no more, and the vehicle still has: whether it came from the ticket
    or was read elsewhere, a person has to know."""
    if mileage is None or not _sees(user):
        return
    said = ServiceTicket.objects.filter(vehicle=vehicle_id, mileage=mileage)
    vehicle = Vehicle.objects.filter(pk=vehicle_id, mileage=mileage).first()
    if vehicle is not None and not said.exists():
        text = "{} still has {} on the clock. If that is wrong, {}"
        page = _page(vehicle, "correct it on its page")
        yield format_html(text, vehicle, f"{mileage:,}", page)


def left_alone(vehicle_id: int, user: User) -> Iterator[str]:
    """Of a vehicle that a ticket had and has no more: under a mistyped VIN it may be one too many."""
    vehicle = Vehicle.objects.filter(pk=vehicle_id, service_tickets=None).first()
    if vehicle is not None and user.has_perms(
        ("customers.view_vehicle", "customers.delete_vehicle")
    ):
        text = "{} has no ticket any more. If it was entered by mistake, {}"
        yield format_html(text, vehicle, _page(vehicle, "delete it on its page"))


def _sees(user: User) -> bool:
    return user.has_perm("customers.view_vehicle")


def _page(vehicle: Vehicle, words: str) -> str:
    """The end of a sentence, which leads to a vehicle's page."""
    url = reverse("admin:customers_vehicle_change", args=(vehicle.pk,))
    return format_html('<a href="{}">{}</a>.', url, words)
