"""What the back office of every app stands on."""

from autoful.admin.asking import AskingPages
from autoful.admin.filters import StandingFilter
from autoful.admin.inlines import ReadOnlyInline, VerbFormSet, VerbInline
from autoful.admin.pages import ReadOnlyAdmin, ShopAdmin, VerbAdmin

__all__ = [
    "AskingPages",
    "ReadOnlyAdmin",
    "ReadOnlyInline",
    "ShopAdmin",
    "StandingFilter",
    "VerbAdmin",
    "VerbFormSet",
    "VerbInline",
]
