"""Groups of the back office: what deleting one means for those who are in it."""

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db.models import F

from autoful.accounts.models import User
from autoful.actor import Actor
from autoful.verbs import verb


@verb
def delete_groups(*, group_ids: Iterable[int], actor: Actor) -> None:
    """Delete groups, all or none; each account leaves them first, with an audit entry of its own.

    One that is gone already is no error.
    """
    for group_id in sorted(group_ids):
        # Locked: otherwise somebody who joins right now would leave with the row, without an entry.
        if _lock(group_id):
            _let_go(group_id)
            Group.objects.get(pk=group_id).delete()


def _lock(group_id: int) -> bool:
    # Django's table has no version to raise; an UPDATE locks as well when it changes nothing.
    return bool(Group.objects.filter(pk=group_id).update(name=F("name")))


def _let_go(group_id: int) -> None:
    for user in User.objects.filter(groups=group_id).order_by("pk"):
        user.groups.remove(group_id)
