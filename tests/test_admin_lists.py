"""What a list of the back office answers: the filters on its page, and a search within bounds.

Yes or no is an answer too: who may ask a list what they like needs no page that shows it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test import RequestFactory
from django.urls import reverse

from autoful.accounts.models import User
from autoful.accounts.trail_page import KindByKind
from autoful.actor import COMMAND
from autoful.admin import lists
from autoful.admin.lists import LONGEST_SEARCH, MOST_WORDS
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from autoful.testing.queries import Statements
from customers.models import Customer, Vehicle
from customers.tests.factories import VehicleFactory
from customers.vehicles import save_vehicle
from inventory.models import Part
from inventory.parts import change_part
from inventory.tests.factories import PartFactory
from mechanics.tests.factories import MechanicFactory
from tickets.models import ServiceTicket
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db

TRAIL = "/admin/auditlog/logentry/"
PAGES = list(admin.site._registry.items())
STEPS = 3


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = None


def busy(boss: Persona) -> Desk:
    """The owner, in a shop that has one of everything. An error of ours is a 500 to them."""
    boss.user.groups.add(Group.objects.create(name="Front desk"))
    part = PartFactory.create()
    ServiceTicketFactory.create(mechanics=[MechanicFactory.create()], parts=[(part, 2)])
    made = Desk(boss.user)
    made.raise_request_exception = False
    return made


@pytest.fixture
def desk(boss: Persona) -> Desk:
    return busy(boss)


def list_of(model: type[models.Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def allow(user: User, *names: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


def who_views(clerk: Persona, model: type[models.Model]) -> User:
    """The clerk with the view permission of this model alone; afresh, for they are remembered."""
    of_it = {"content_type__app_label": model._meta.app_label}
    name = f"view_{model._meta.model_name}"
    clerk.user.user_permissions.set([Permission.objects.get(codename=name, **of_it)])
    return User.objects.get(pk=clerk.user.pk)


# --- Filters --------------------------------------------------------------------------------------


def columns(model: Any, steps: int, came: str = "") -> Iterator[tuple[str, Any]]:
    """Every column that a lookup reaches in so many steps, by relations of either direction."""
    for field in model._meta.get_fields(include_hidden=True):
        # What a lookup calls it: a reverse relation by its query name, a hidden one has none.
        name = field.name
        if getattr(field, "related_model", None) is None:
            yield came + name, field
        elif steps and not name.endswith("+"):
            yield from columns(field.related_model, steps - 1, f"{came}{name}__")


def endings(field: Any) -> list[str]:
    """Questions that find a value out bit by bit, and the whole value itself."""
    if isinstance(field, models.CharField | models.TextField | models.JSONField):
        return ["", "__startswith", "__regex"]
    return ["", "__gte", "__in"]


def filters_of(page: Any) -> set[str]:
    """The columns that this page offers filters for."""
    entries = [entry[0] if isinstance(entry, tuple) else entry for entry in page.list_filter]
    return {getattr(entry, "parameter_name", entry) for entry in entries}


@pytest.mark.parametrize(("model", "page"), PAGES, ids=lambda p: getattr(p, "__name__", ""))
def test_no_list_answers_what_its_page_does_not_ask(model: Any, page: Any, clerk: Persona) -> None:
    request = RequestFactory().get("/")
    request.user = who_views(clerk, model)
    offered, answered, tried = filters_of(page), [], set()
    for path, field in columns(model, STEPS):
        for ending in endings(field):
            tried.add(path + ending)
            if path in offered and ending in ("", "__gte"):
                continue
            request.GET = {path + ending: "x"}  # type: ignore[assignment]
            if page.lookup_allowed(path + ending, "x", request):
                answered.append(path + ending)
    assert answered == []
    assert len(tried) > 100
    if page.model is not Group:
        assert any("password__startswith" in lookup for lookup in tried), tried


ORACLES = [
    (TRAIL, "content_type__permission__user__password__startswith=pbkdf2"),
    (TRAIL, "content_type__permission__user__mechanic__salary__gte=1"),
    (TRAIL, "actor__customer__phone__startswith=%2B1"),
    (TRAIL, "changes__icontains=phone"),
    (TRAIL, "timestamp__regex=x"),
    ("/admin/accounts/user/", "password__startswith=pbkdf2"),
    ("/admin/accounts/user/", "groups__permissions__codename__startswith=v"),
    ("/admin/accounts/user/", "token_version__gte=1"),
    ("/admin/customers/customer/", "user__password__startswith=pbkdf2"),
    ("/admin/tickets/assignment/", "mechanic__salary__gte=1"),
    ("/admin/tickets/partline/", "unit_cost__gte=0"),
    ("/admin/tickets/partline/", "part__cost__gte=0"),
]


@pytest.mark.parametrize(("path", "query"), ORACLES)
def test_a_question_of_one_s_own_is_refused(path: str, query: str, desk: Desk) -> None:
    answer = desk.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert "The request cannot be read." in answer.content.decode()


def test_the_filters_on_the_page_are_answered(desk: Desk) -> None:
    """The control: what the links send, which tests/test_admin.py follows, is not refused."""
    kinds = 0
    for model, page in PAGES:
        asked: Any = desk.get(list_of(model))
        changelist = asked.context_data["cl"]
        for spec in changelist.filter_specs:
            for parameter in spec.expected_parameters():
                assert page.lookup_allowed(parameter, "1", asked.wsgi_request), (page, parameter)
                kinds += 1
        for entry in page.list_filter:
            if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
                assert page.lookup_allowed(entry.parameter_name, "1", asked.wsgi_request)
    assert kinds > 25
    with pytest.raises(DisallowedModelAdminLookup):
        request = RequestFactory().get("/", {"make__startswith": "x"})
        request.user = desk.user
        admin.site._registry[Vehicle].get_changelist_instance(request)  # type: ignore[attr-defined]


# --- Searches -------------------------------------------------------------------------------------


def found(desk: Desk, model: type[models.Model], words: str) -> int:
    page: Any = desk.get(list_of(model), {"q": words})
    assert page.status_code == 200
    return int(page.context_data["cl"].result_count)


def test_a_search_tells_nothing_that_its_reader_may_not_see(clerk: Persona) -> None:
    vehicle = VehicleFactory.create(plate="AB 123")
    owner = vehicle.customer
    ServiceTicketFactory.create(customer=owner, vin=vehicle.vin)
    for model, words, needed in (
        (Customer, vehicle.vin, "view_vehicle"),
        (Customer, "AB 123", "view_vehicle"),
        (Vehicle, owner.phone, "view_customer"),
        (ServiceTicket, owner.phone, "view_customer"),
        (ServiceTicket, owner.email, "view_customer"),
        (ServiceTicket, "AB 123", "view_vehicle"),
    ):
        who = Desk(who_views(clerk, model))
        assert found(who, model, words) == 0, (model, words)
        allow(who.user, needed)
        assert found(Desk(User.objects.get(pk=who.user.pk)), model, words) == 1, (model, words)


@pytest.mark.parametrize(
    "words",
    ["x" * (LONGEST_SEARCH + 1), "x " * (MOST_WORDS + 1)],
    ids=["long", "words"],
)
def test_a_search_has_its_bounds(words: str, desk: Desk) -> None:
    page = desk.get(list_of(Part), {"q": words})
    assert page.status_code == 200
    assert f"at most {LONGEST_SEARCH} characters and {MOST_WORDS} words" in page.content.decode()
    assert page.context_data["cl"].query == ""  # type: ignore[attr-defined]
    # The box in which a ticket's customer is looked for has no room for a message.
    source = {"app_label": "tickets", "model_name": "serviceticket", "field_name": "customer"}
    name = Customer.objects.values_list("name", flat=True)[0]
    for term, count in ((name, 1), (f"{name} {words}", 0)):
        box = desk.get(reverse("admin:autocomplete"), source | {"term": term})
        assert len(box.json()["results"]) == count


def test_a_search_within_the_bounds_is_done(desk: Desk) -> None:
    PartFactory.create(part_name="a b c d e f g h i j")
    assert found(desk, Part, "a b c d e f g h i j") == 1
    assert found(desk, Part, "j i h") == 1


def test_reading_a_list_opens_no_transaction(desk: Desk) -> None:
    """On SQLite one takes the lock of all who write, and holds it while the page is made."""
    desk.get("/admin/")  # which writes that the session is in use, for a minute
    for model, _ in PAGES:
        with Statements(connection) as seen:
            assert desk.get(list_of(model), {"q": "1"}).status_code == 200
        # The test itself is in a transaction: one more would be a savepoint.
        assert not [query for query in seen if "SAVEPOINT" in query["sql"]], model


def test_a_long_list_is_not_counted_to_its_end_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_LISTED", 2)
    for _ in range(3):
        PartFactory.create()
    page: Any = desk.get(list_of(Part))
    assert page.context_data["cl"].result_count == 2
    assert "2+" in page.content.decode()


# --- The trail of some kinds ----------------------------------------------------------------------


@pytest.mark.parametrize("asked", [{}, {"action": "1"}, {"o": "1"}, {"timestamp_from": ""}])
def test_who_sees_some_kinds_leafs_through_their_entries_newest_first(
    asked: dict[str, str], desk: Desk, clerk: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        part, car = PartFactory.create(), VehicleFactory.create()
        change_part(part=part, fields={"location": f"A{n}"}, actor=COMMAND)
        car.colour = "red"
        save_vehicle(vehicle=car, changed=["colour"], actor=COMMAND)
    allow(clerk.user, "view_logentry", "view_part", "view_vehicle")
    page = admin.site._registry[LogEntry]
    monkeypatch.setattr(page, "list_per_page", 5)
    theirs = Desk(User.objects.get(pk=clerk.user.pk))
    answers: list[Any] = [theirs.get(TRAIL, asked | {"p": n}) for n in (1, 2)]
    shown = [entry.pk for a in answers for entry in a.context_data["cl"].result_list]
    kinds = ContentType.objects.get_for_models(Part, Vehicle, LogEntry).values()
    only = {"action": asked["action"]} if "action" in asked else {}
    entries = LogEntry.objects.filter(content_type__in=kinds, **only)
    expected = list(entries.order_by("-id").values_list("pk", flat=True))
    assert {entry.content_type.model for entry in entries} == {"part", "vehicle"}
    assert len(expected) >= 8 and shown == expected[:10]
    assert isinstance(answers[0].context_data["cl"].paginator, KindByKind)


def test_a_filter_of_the_trail_tells_nobodys_address(clerk: Persona, sarah: Persona) -> None:
    allow(clerk.user, "view_logentry")
    theirs = Desk(User.objects.get(pk=clerk.user.pk))
    page = theirs.get(TRAIL, {"person": sarah.user.pk})
    assert page.status_code == 200 and sarah.user.email not in page.content.decode()


def test_what_cannot_be_understood_is_said(desk: Desk) -> None:
    page = desk.get(TRAIL, {"timestamp_from": "11/28/2026", "timestamp_to": ""}, follow=True)
    assert "so all is shown" in page.content.decode()
    assert "so all is shown" not in desk.get(TRAIL).content.decode()


def test_no_list_counts_its_choices(desk: Desk) -> None:
    """Each count reads the whole table, and there is one for each mechanic."""
    for model, _ in PAGES:
        page = desk.get(list_of(model), {"_facets": "True"})
        assert not page.context_data["cl"].add_facets


def test_all_that_is_recorded_is_about_rows_that_have_a_page() -> None:
    """So whoever sees every page sees every entry, and the trail is not asked for each kind."""
    assert set(auditlog.get_models()) <= set(admin.site._registry)


# --- Empty lists ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "query", "said"),
    [
        (Group, "", "There are no groups yet."),
        (Group, "q=nobody", "No groups fit this search."),
        (ServiceTicket, "status__exact=cancelled", "No service tickets fit these filters."),
        (
            ServiceTicket,
            "q=nobody&status__exact=cancelled",
            "No service tickets fit this search and these filters.",
        ),
    ],
)
def test_an_empty_list_says_what_to_do(
    boss: Persona, model: type[models.Model], query: str, said: str
) -> None:
    Group.objects.all().delete()
    page = Desk(boss.user).get(f"{list_of(model)}?{query}").content.decode()
    assert said in page
    assert ("Clear search and filters" in page) == bool(query)
    assert ("Add the first group" in page) == (not query)


def test_a_number_written_as_on_the_pages_finds_its_entries(desk: Desk) -> None:
    part = Part.objects.latest("pk")
    entries = LogEntry.objects.filter(object_pk=str(part.pk)).count()
    assert found(desk, LogEntry, f"#{part.pk}") >= entries > 0


def test_a_list_offers_to_show_all_only_where_something_was_left_out(desk: Desk) -> None:
    PartFactory.create(part_name="Oil filter")
    offer = "(<a href="
    for model in (Part, ServiceTicket, User):
        title = str(desk.get(list_of(model)).content).partition("</h1>")[0].partition("<h1")[2]
        assert title and offer not in title
    for asked in ({"q": "oil"}, {"stock": "low"}):
        title = str(desk.get(list_of(Part), asked).content).partition("</h1>")[0]
        assert offer in title.partition("<h1")[2], asked
