"""What the back office of every app stands on."""

from autoful.admin.filters import StandingFilter
from autoful.admin.inlines import ReadOnlyInline, VerbFormSet, VerbInline
from autoful.admin.pages import ReadOnlyAdmin, ShopAdmin, VerbAdmin

__all__ = [
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "ShopAdmin",
    "StandingFilter",
    "VerbAdmin",
    "VerbFormSet",
    "VerbInline",
]
