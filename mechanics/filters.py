"""What a list of mechanics may be asked for. The list has no public view."""

import django_filters

from autoful.api.filters import Ordering, TextFilter


class MechanicFilter(django_filters.FilterSet):
    name = TextFilter(lookup_expr="icontains", max_length=120)
    email = TextFilter(field_name="user__email", lookup_expr="iexact", max_length=254)
    phone = TextFilter(lookup_expr="icontains", max_length=32)
    ordering = Ordering(fields=["id", "name"])
