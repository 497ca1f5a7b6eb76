"""The back office's pages on the left, in the order in which a shop uses them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

# Title, icon, and the app and model whose list it is.
Item = tuple[str, str, str]

GROUPS: list[tuple[str, list[Item]]] = [
    (
        "Front desk",
        [
            ("Service tickets", "build", "tickets_serviceticket"),
            ("Customers", "person", "customers_customer"),
            ("Vehicles", "directions_car", "customers_vehicle"),
        ],
    ),
    (
        "Parts room",
        [
            ("Parts", "inventory_2", "inventory_part"),
            ("Stock movements", "receipt_long", "inventory_stockmovement"),
            ("Parts used", "handyman", "tickets_partline"),
        ],
    ),
    (
        "People",
        [
            ("Mechanics", "engineering", "mechanics_mechanic"),
            ("Assignments", "assignment_ind", "tickets_assignment"),
            ("Accounts", "key", "accounts_user"),
            ("Groups", "group", "auth_group"),
        ],
    ),
    (
        "Books",
        [
            ("Status changes", "swap_horiz", "tickets_statuschange"),
            ("Audit trail", "policy", "auditlog_logentry"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What unfold shows on the left: the pages that this person may see."""
    pages = {
        f"{model._meta.app_label}_{model._meta.model_name}": page
        for model, page in admin.site._registry.items()
    }
    today = {"title": "Today", "icon": "today", "link": reverse("admin:index")}
    groups = [
        {
            "title": title,
            "separator": True,
            "items": [
                {"title": item, "icon": icon, "link": reverse(f"admin:{model}_changelist")}
                for item, icon, model in items
                if pages[model].has_view_permission(request)
            ],
        }
        for title, items in GROUPS
    ]
    return [{"items": [today]}, *(group for group in groups if group["items"])]
