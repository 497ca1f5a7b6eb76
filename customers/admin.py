"""The back office: customers and their vehicles."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, F, Q
from django.http import HttpRequest
from unfold.decorators import display

from autoful.accounts.permissions import may_manage
from autoful.actor import Actor
from autoful.admin import StandingFilter, VerbFormSet, VerbInline
from autoful.admin.lists import SEARCHED, newest
from autoful.sheets.pages import SheetPages
from customers.errors import HasTickets, VinTaken
from customers.finding import customers_found, vehicles_found
from customers.forms import ASKED, CustomerForm, NewCustomerForm
from customers.models import Customer, Vehicle
from customers.registration import change_customer, close_customer, enter_walk_in
from customers.remarks import remarks_on
from customers.sheets import CustomerSheet, VehicleSheet
from customers.vehicles import delete_vehicle, save_vehicle


class VehicleFormSet(VerbFormSet):
    """The newest of a fleet are written here, and each on its own page."""

    shown_at_most = 25

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.is_bound:  # those that were on the page
            return rows
        if not hasattr(self, "_newest"):
            newest = rows.order_by("-pk").values_list("pk", flat=True)[: self.shown_at_most]
            self._newest = rows.filter(pk__in=list(newest))
        return self._newest

    @property
    def left_out(self) -> int:
        """How many vehicles of the customer are not shown."""
        shown = self.initial_form_count()
        if shown < self.shown_at_most:
            return 0
        return max(int(self.instance.vehicles.count()) - shown, 0)

    def save_by_verbs(self, parent: Customer, actor: Actor) -> None:
        # First those that are entered, which lock the customer: everybody does so before any vehicle.
        known = sorted(self.corrected, key=lambda form: form.instance.pk)
        for form in (*self.added, *known):
            form.instance.customer = parent
            form.instance = save_vehicle(
                vehicle=form.instance, changed=form.changed_data, actor=actor
            )


class VehicleInline(VerbInline):
    model = Vehicle
    parent_field = "customer"
    formset = VehicleFormSet
    template_before = "admin/customers/more_vehicles.html"
    fields = ("vin", "plate", "make", "model", "year", "mileage")
    can_delete = False
    hide_title = False
    show_change_link = True

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "vin":
            field.widget.attrs["class"] += " min-w-52"  # all 17 characters
        return field


@admin.register(Customer)
class CustomerAdmin(SheetPages):
    form = CustomerForm
    sheet = CustomerSheet
    inlines = (VehicleInline,)
    list_display = ("name", "email", "phone", "has_account", "tickets")
    list_filter = (StandingFilter, ("user", admin.EmptyFieldListFilter))
    search_fields = SEARCHED
    search_help_text = "Name, phone, e-mail, plate or VIN."
    ordering = ("-id",)
    fieldsets = ((None, {"fields": ("name", "email", "phone")}),)
    add_fieldsets = ((None, {"fields": ("name", "email", "phone", ASKED)}),)
    delete_notice = (
        "This closes the customer's account, if there is one, and erases name, e-mail, phone and "
        "plates for good. The service tickets stay for the books, without the name; the vehicles "
        "keep their history and lose their owner."
    )

    def get_delete_notice(self, rows: Iterable[Customer]) -> str:
        notice = super().get_delete_notice(rows)
        customers = Customer.objects.filter(pk__in=[customer.pk for customer in rows])
        if not (waiting := customers.open_ticket_count()):
            return notice
        tickets = "1 service ticket is" if waiting == 1 else f"{waiting} service tickets are"
        return f"{tickets} still open, and there will be nobody to call about the car. {notice}"

    icon = "person"

    def find(self, request: HttpRequest, text: str) -> Any:
        return Customer.objects.filter(pk__in=customers_found(request, text)).order_by("-pk")

    def picked_as(self, request: HttpRequest, row: Customer) -> str:
        return f"{row}, {row.phone}" if row.phone else str(row)

    def found_as(self, request: HttpRequest, row: Customer) -> tuple[str, str]:
        return row.name, ", ".join(filter(None, ("Customer", row.phone, row.email)))

    @display(description="signs in", boolean=True, ordering="user")
    def has_account(self, customer: Customer) -> bool:
        return customer.user_id is not None

    @display(description="tickets", ordering="ticket_count")
    def tickets(self, customer: Customer) -> int:
        return customer.ticket_count

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if request.resolver_match and request.resolver_match.url_name == "autocomplete":
            queryset = queryset.existing()
        return super().get_search_results(request, queryset, search_term)

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        cars = vehicles_found(request, text, customer__in=among)
        # Those who have closed their account are in the list, too.
        some = Customer.objects.all() if among is None else Customer.objects.filter(pk__in=among)
        named = newest(some.found_by(text))
        return [Q(pk__in=named), Q(vehicles__in=cars)]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["labels"] = {"created_at": "Customer since", "updated_at": "Last changed"}
        if not change:
            sees = request.user.has_perm("customers.view_customer")
            form = type("NewCustomerForm", (NewCustomerForm,), {"names_customers": sees})
            kwargs = {"form": form} | kwargs
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        account = "user" if request.user.has_perm("accounts.view_user") else "has_account"
        return [*fieldsets, ("Account", {"fields": (account, "created_at", "updated_at")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        readonly: tuple[str, ...] = ("user", "has_account", "created_at", "updated_at")
        if obj is not None and obj.user and not may_manage(request.user, obj.user):  # type: ignore[arg-type]
            readonly += ("email",)  # it is what that account signs in with
        return readonly

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_current(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_current(obj) and bool(super().has_delete_permission(request, obj))

    def hold(self, number: int) -> None:
        super().hold(number)
        Vehicle.objects.filter(customer=number).update(version=F("version"))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.forms if isinstance(formset, VehicleFormSet) else ():
            for remark in remarks_on(row.instance, row.changed_data, request.user):
                self.message_user(request, remark, messages.WARNING)

    def enter(self, fields: dict[str, Any], actor: Actor) -> Customer:
        told = {name: typed for name, typed in fields.items() if name in CustomerForm.Meta.fields}
        return enter_walk_in(actor=actor, **told)

    def change(self, obj: Customer, changed: dict[str, Any], actor: Actor) -> None:
        change_customer(customer=obj, actor=actor, **changed)

    def remove(self, obj: Customer, actor: Actor) -> None:
        close_customer(customer=obj, actor=actor)


def is_current(customer: Customer | None) -> bool:
    return customer is None or customer.deleted_at is None


@admin.register(Vehicle)
class VehicleAdmin(SheetPages):
    delete_notice = "For a vehicle that was entered by mistake. It goes for good."
    sheet = VehicleSheet
    list_display = ("vin", "plate", "make", "model", "year", "customer", "mileage")
    list_filter = (("customer", admin.EmptyFieldListFilter), "make")
    search_fields = SEARCHED
    search_help_text = "Plate, VIN or its last six, make, model, year or owner."
    ordering = ("-id",)
    autocomplete_fields = ("customer",)
    fieldsets = (
        (None, {"fields": ("vin", "customer", ("plate", "colour"))}),
        ("The car", {"fields": ("make", "model", "year", "mileage")}),
    )

    private_fields = {"customer": "customers.view_customer"}

    icon = "directions_car"

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["error_messages"] = {"vin": {"unique": VinTaken().message}}
        return super().get_form(request, obj, change=change, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("customer")

    def find(self, request: HttpRequest, text: str) -> Any:
        found, _ = self.get_search_results(request, self.get_queryset(request), text)
        return found.order_by("-pk")

    def picked_as(self, request: HttpRequest, row: Vehicle) -> str:
        return ", ".join(filter(None, (str(row), *self._told_of(request, row))))

    def found_as(self, request: HttpRequest, row: Vehicle) -> tuple[str, str]:
        return str(row), ", ".join(filter(None, ("Vehicle", *self._told_of(request, row))))

    def _told_of(self, request: HttpRequest, row: Vehicle) -> tuple[str, str]:
        """Its plate and its owner, as far as whoever asks may know."""
        owner = row.customer and request.user.has_perm("customers.view_customer")
        return row.plate, str(row.customer) if owner else ""

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        owners = customers_found(request, text, vehicles__in=among)
        return [
            Q(pk__in=vehicles_found(request, text, pk__in=among)),
            Q(customer__in=owners),
        ]

    def hold(self, number: int) -> None:
        # The owner first: everybody locks customers before vehicles.
        Customer.objects.filter(vehicles=number).update(version=F("version"))
        super().hold(number)

    def staying(self, rows: Iterable[Vehicle]) -> list[str]:
        counted = Vehicle.objects.filter(pk__in=[vehicle.pk for vehicle in rows])
        counted = counted.annotate(tickets=Count("service_tickets")).filter(tickets__gt=0)
        return [HasTickets(vehicle, vehicle.tickets).message for vehicle in counted]

    def remove(self, obj: Vehicle, actor: Actor) -> None:
        delete_vehicle(vehicle=obj, actor=actor)

    def enter(self, fields: dict[str, Any], actor: Actor) -> Vehicle:
        return save_vehicle(vehicle=Vehicle(**fields), changed=[], actor=actor)

    def change(self, obj: Vehicle, changed: dict[str, Any], actor: Actor) -> None:
        save_vehicle(vehicle=obj, changed=list(changed), actor=actor)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        for remark in remarks_on(obj, form.changed_data, request.user):
            self.message_user(request, remark, messages.WARNING)
