"""Who may decide how somebody else signs in."""

import copy

from autoful.accounts.models import User


def may_manage(manager: User, account: User) -> bool:
    """Whether `manager` may change how `account` signs in.

    Never an account that may do more than they may: a new password would make its permissions
    theirs.
    """
    if manager.is_superuser:
        return True
    if account.is_superuser:
        return False
    # Django says that a deactivated account has no permissions; it has them again when activated.
    awake = copy.copy(account)
    awake.is_active = True
    return awake.get_all_permissions() <= manager.get_all_permissions()
