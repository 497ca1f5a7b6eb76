"""What somebody of the back office types into the address bar, or sends past a page's form.

Which pages there are comes from the site. Nothing in an address is an error of ours.
"""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from autoful.testing.pages import Desk, fields_of
from autoful.testing.personas import Persona
from customers.models import Customer
from inventory.models import Part
from mechanics.models import Mechanic
from tests import ugly
from tests.test_admin_lists import PAGES, TRAIL, busy, list_of
from tickets.models import ServiceTicket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return busy(boss)


NUMBERS = ["x", "0", "-1", "99", "9" * 23, "9" * 5000, "%00", "", "1.5", quote("\u0661"), "1,x"]
MOMENTS = ["0001-01-01+00:00:00%2B23:59", "9999-12-31+23:59:59-23:59", "99999-01-01", "x", "%00"]
LOOKUPS = ["id__range=1", "id__in=x", "id=x", "pk=" + "9" * 23, "id__isnull=x", "nothing=1"]
ADDRESSES = [
    *(f"search/?s=a&page={number}" for number in NUMBERS),
    *(f"search/?s=a&extended&page={number}" for number in NUMBERS),
    *(f"r/{number}/{number}/" for number in ("0", "99", "9" * 23)),
    "autocomplete/",
    *(
        f"autocomplete/?app_label=tickets&model_name=serviceticket&field_name={field}&page={page}"
        for field in ("customer", "vehicle", "assignments", "part_lines", "id", "nothing", "status")
        for page in ("1", "x", "0", "99", "9" * 23)
    ),
]


def shaken(desk: Desk, addresses: list[str]) -> list[str]:
    """Those that are an error of ours."""
    wrong = []
    # A page costs ten calls of the API: one in three here, each in the drill.
    for address in addresses[:: 1 if ugly.EVERY == 1 else 3]:
        answer: Any = desk.get(address)
        if answer.status_code == 302 and "e=1" in answer["Location"]:
            answer = desk.get(answer["Location"])
            assert answer.status_code == 200, address  # not round and round
        if answer.status_code not in (200, 302, 400, 403, 404, 405):
            wrong.append(f"{address[:160]}: {answer.status_code}")
    return wrong


def crossed(names: list[str], values: list[str]) -> list[str]:
    """Every name with every value: some of them here, all of them in the drill."""
    return [
        f"{name}={value}"
        for place, name in enumerate(names)
        for number, value in enumerate(values)
        if ugly.chosen(place, number)
    ]


def test_no_page_without_a_model_breaks(desk: Desk) -> None:
    wrong = shaken(desk, [f"/admin/{address}" for address in ADDRESSES])
    assert not wrong, "\n".join(wrong)


def test_no_list_is_asked_for_a_moment_or_a_number_that_is_none(desk: Desk) -> None:
    for address in (
        f"{TRAIL}?object={'9' * 23}",
        *(f"{TRAIL}?timestamp__{end}={moment}" for end in ("gte", "lt") for moment in MOMENTS[:3]),
        *(f"{list_of(ServiceTicket)}?_to_field={name}" for name in ("assignments", "part_lines")),
    ):
        answer: Any = desk.get(address)
        if answer.status_code == 200:  # to MariaDB so large a number is one that no row has
            assert answer.context_data["cl"].result_count == 0, address
        else:
            assert answer.status_code in (302, 400), address
            assert answer.get("Location", "e=1").endswith("e=1")


@pytest.mark.parametrize(("model", "page"), PAGES, ids=lambda p: getattr(p, "__name__", ""))
def test_no_query_breaks_a_list(model: Any, page: Any, desk: Desk) -> None:
    specs = desk.get(list_of(model)).context_data["cl"].filter_specs  # type: ignore[attr-defined]
    names = [name for spec in specs for name in spec.expected_parameters()]
    queries = crossed([*names, "p", "o", "q", "all", "_popup"], [*NUMBERS, *MOMENTS])
    queries += [f"{query}&_facets=True" for query in queries[::5]]
    queries += [f"_to_field={f.name}" for f in model._meta.get_fields(include_hidden=True)]
    wrong = shaken(desk, [f"{list_of(model)}?{query}" for query in [*queries, *LOOKUPS]])
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("model", "page"), PAGES, ids=lambda p: getattr(p, "__name__", ""))
def test_no_query_breaks_a_form(model: Any, page: Any, desk: Desk) -> None:
    row = model._default_manager.order_by("pk").first()
    base = list_of(model)
    names = [field.name for field in model._meta.get_fields(include_hidden=True)]
    picked = page.get_autocomplete_fields(desk.get(base).wsgi_request)
    addresses = [f"{base}add/?{name}={value}" for name in picked for value in NUMBERS]
    addresses += [f"{base}add/?{query}" for query in crossed(names, [*NUMBERS, *MOMENTS])]
    for place in ("add", f"{row.pk}/change", f"{row.pk}/delete"):
        queries = [*crossed(["_popup=1&_to_field"], names), "_changelist_filters=%00"]
        addresses += [f"{base}{place}/?{query}" for query in queries]
    addresses += [f"{base}{row.pk}/history/?{query}" for query in crossed(["p"], NUMBERS)]
    wrong = shaken(desk, addresses)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("value", [number for number in NUMBERS if "%" not in number] + ["a\0b"])
def test_no_row_that_is_none_breaks_a_form(value: str, desk: Desk) -> None:
    """Where a row is picked, in each form and in each row of its tables."""
    for page, boxes in (
        ("tickets_serviceticket_add", ("customer", "assignments-0-mechanic", "part_lines-0-part")),
        ("customers_vehicle_add", ("customer",)),
        ("customers_customer_add", ("vehicles-0-customer", "vehicles-0-id")),
    ):
        url = reverse(f"admin:{page}")
        form = fields_of(desk.get(url), url.split("/")[-3] + "_form")
        rows = {name: "1" for name in form if name.endswith("-TOTAL_FORMS")}
        for box in boxes:
            answer = desk.post(url, form | rows | {box: value})
            assert answer.status_code == 200, (box, answer.status_code)
    assert ServiceTicket.objects.count() == 1


@pytest.mark.parametrize("value", [number for number in NUMBERS if "%" not in number] + ["a\0b"])
def test_no_row_that_is_none_breaks_an_action(value: str, desk: Desk) -> None:
    for model in (Mechanic, Part, ServiceTicket, Customer, Group):
        before = model._default_manager.count()
        for name in ("delete_selected", "approve_selected"):
            picked = {"action": name, "_selected_action": value, "post": "yes", "index": "0"}
            answer = desk.post(list_of(model), picked)
            assert answer.status_code in (200, 302, 400), (model, name)
        assert model._default_manager.count() == before
