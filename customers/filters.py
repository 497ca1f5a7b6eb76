"""What a list of customers may be asked for, by whom."""

import django_filters

from autoful.accounts.models import normalize_email
from autoful.api.filters import Ordering, TextFilter
from customers.models import Customer


class PublicCustomerFilter(django_filters.FilterSet):
    ordering = Ordering(fields=["id", "ticket_count"])

    class Meta:
        model = Customer
        fields: tuple[str, ...] = ()


class CustomerFilter(PublicCustomerFilter):
    name = TextFilter(lookup_expr="icontains", max_length=120)
    email = TextFilter(max_length=254, normalize=normalize_email)
    phone = TextFilter(lookup_expr="icontains", max_length=32)
    ordering = Ordering(fields=["id", "name", "email", "ticket_count"])
