"""What whoever wrote a vehicle should look at once more, and what is no error."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from customers.models import Vehicle
from customers.vehicles import vin_warning


def remarks_on(vehicle: Vehicle, typed: Iterable[str], user: Any) -> Iterator[str]:
    """What of the `typed` fields should be looked at once more, and is no error; of other vehicles to
    those who may see them."""
    if "vin" in typed and (warning := vin_warning(vehicle.vin)):
        yield warning
    if "plate" in typed and vehicle.plate and user.has_perm("customers.view_vehicle"):
        others = Vehicle.objects.with_plate(vehicle.plate).exclude(pk=vehicle.pk)[:3]
        url = "admin:customers_vehicle_change"
        links = ((reverse(url, args=(other.pk,)), other) for other in others)
        if others:
            said = format_html_join(", ", '<a href="{}">{}</a>', links)
            yield format_html("The plate {} is on another vehicle, too: {}.", vehicle.plate, said)
