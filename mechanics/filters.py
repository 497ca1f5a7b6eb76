"""What a list of mechanics may be asked for. The list has no public view."""

import django_filters

from autoful.api.filters import Ordering


class MechanicFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(lookup_expr="icontains", max_length=120)
    email = django_filters.CharFilter(
        field_name="user__email", lookup_expr="iexact", max_length=254
    )
    phone = django_filters.CharFilter(lookup_expr="icontains", max_length=32)
    ordering = Ordering(fields=["id", "name"])
