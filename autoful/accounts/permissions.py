"""Who may decide how somebody else signs in."""

import copy

from django.apps import apps
from django.conf import settings

from autoful.accounts.models import User
from autoful.actor import Actor, Role


def may_decide_sign_in(actor: Actor, account: User) -> bool:
    """Whether `actor` may change the e-mail or the password of `account`."""
    if actor.role is Role.COMMAND:
        return True
    if actor.user == account:
        # A token needs no code, so it does not decide about what does.
        return actor.role is Role.BACK_OFFICE or not account.has_second_factor()
    return (
        actor.role is Role.BACK_OFFICE
        and actor.user is not None
        and may_manage(actor.user, account)
    )


def may_manage(manager: User, account: User) -> bool:
    """Whether `manager` may change how `account` signs in.

    Never an account that may do more than they may, by its permissions or by a hat it wears: a
    new password would make those theirs.
    """
    if manager.is_superuser:
        return True
    if account.is_superuser:
        return False
    # Django says that a deactivated account has no permissions; it has them again when activated.
    awake = copy.copy(account)
    awake.is_active = True
    hats = {
        f"{hat._meta.app_label}.change_{hat._meta.model_name}"
        for role, model in settings.ROLES.items()
        if hasattr(account, role) and (hat := apps.get_model(model))
    }
    return awake.get_all_permissions() | hats <= manager.get_all_permissions()
