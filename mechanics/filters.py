"""What a list of mechanics may be asked for. The list has no public view."""

import django_filters

from autoful.accounts.models import normalize_email
from autoful.api.filters import Ordering, TextFilter


class MechanicFilter(django_filters.FilterSet):
    name = TextFilter(lookup_expr="icontains", max_length=120)
    email = TextFilter(field_name="user__email", max_length=254, normalize=normalize_email)
    phone = TextFilter(lookup_expr="icontains", max_length=32)
    ordering = Ordering(fields=["id", "name"])
