"""Taking on, approving, changing and letting go of mechanics."""

from decimal import Decimal
from typing import Any

import pytest

from autoful.accounts.errors import EmailTaken
from autoful.accounts.models import User
from autoful.accounts.tests.factories import PASSWORD, SuperuserFactory, UserFactory
from autoful.actor import COMMAND, NOBODY, Actor, Role
from customers.tests.factories import CustomerFactory
from mechanics.errors import MechanicNotFound, SignupClosed
from mechanics.models import Mechanic
from mechanics.registration import approve, change_mechanic, close_mechanic, register_mechanic
from mechanics.tests.factories import MechanicFactory
from tests.soundness import faults, refused
from tickets.models import Assignment
from tickets.tests.factories import ServiceTicketFactory

pytestmark = pytest.mark.django_db


def register(actor: Actor = NOBODY, **fields: Any) -> Mechanic:
    given: dict[str, Any] = {
        "name": "Mike Chen",
        "email": "mike@example.com",
        "phone": "+1 555 0100",
        "salary": Decimal("50000.005"),
        "password": PASSWORD,
    }
    return register_mechanic(**given | fields, actor=actor)


@pytest.mark.parametrize(
    ("signup", "role", "approved"),
    [
        ("open", Role.NOBODY, True),
        ("approval", Role.NOBODY, False),
        ("approval", Role.MECHANIC, False),
        ("approval", Role.BACK_OFFICE, True),
        ("closed", Role.BACK_OFFICE, True),
        ("closed", Role.COMMAND, True),
    ],
)
def test_register_mechanic(signup: str, role: Role, approved: bool, settings: Any) -> None:
    settings.AUTOFUL_MECHANIC_SIGNUP = signup
    manager = SuperuserFactory.create() if role is Role.BACK_OFFICE else None
    made = register(Actor(role, manager), email=" Mike@Example.com")
    found = Mechanic.objects.get()
    assert (found, found.name, found.phone) == (made, "Mike Chen", "+1 555 0100")
    assert (found.salary, found.email) == (Decimal("50000.01"), "mike@example.com")
    assert (found.approved, found.may_sign_in(), found.is_available) == (approved,) * 3
    assert found.user is not None
    assert found.user.check_password(PASSWORD)


@pytest.mark.parametrize("role", [Role.NOBODY, Role.CUSTOMER, Role.MECHANIC, Role.BACK_OFFICE])
def test_sign_up_closed(role: Role, settings: Any) -> None:
    settings.AUTOFUL_MECHANIC_SIGNUP = "closed"
    clerk = UserFactory.create(is_staff=True)  # who may nothing
    with refused(SignupClosed):
        register(Actor(role, clerk if role is Role.BACK_OFFICE else None))


def test_an_email_taken() -> None:
    MechanicFactory.create(user=UserFactory.create(email="mike@example.com"))
    with refused(EmailTaken):
        register()
    with refused(EmailTaken):
        register(password="not that password")


def test_a_customer_becomes_a_mechanic_too(settings: Any) -> None:
    settings.AUTOFUL_MECHANIC_SIGNUP = "open"
    customer = CustomerFactory.create(user=UserFactory.create(email="mike@example.com"))
    assert register(salary=None).user == customer.user
    assert Mechanic.objects.get().salary is None


def test_approve() -> None:
    waiting = MechanicFactory.create(approved=False)
    assert approve(mechanic=waiting, actor=COMMAND).approved
    assert Mechanic.objects.get().may_sign_in()


def test_change_mechanic_changes_what_is_given() -> None:
    mechanic = MechanicFactory.create(name="Mike", phone="+1 555 0100", salary=Decimal(100))
    version = Mechanic.objects.get().version
    change_mechanic(mechanic=mechanic, salary=Decimal("123.456"), actor=COMMAND)
    found = Mechanic.objects.get()
    assert (found.name, found.phone, found.salary) == ("Mike", "+1 555 0100", Decimal("123.46"))
    assert found.version > version
    change_mechanic(mechanic=mechanic, salary=Decimal(0), actor=COMMAND)
    assert Mechanic.objects.get().salary == 0


def test_a_changed_email_and_password_are_the_accounts() -> None:
    mechanic = MechanicFactory.create()
    changed = change_mechanic(mechanic=mechanic, email=" New@Example.com", actor=COMMAND)
    assert changed.email == "new@example.com"
    assert User.objects.get().token_version == 1
    change_mechanic(mechanic=mechanic, password="another good password", actor=COMMAND)
    user = User.objects.get()
    assert (user.email, user.token_version) == ("new@example.com", 2)
    assert user.check_password("another good password")


def test_change_mechanic_with_an_email_taken_changes_nothing() -> None:
    UserFactory.create(email="taken@example.com")
    mechanic = MechanicFactory.create()
    with refused(EmailTaken):
        change_mechanic(mechanic=mechanic, name="New", email="Taken@example.com", actor=COMMAND)


def test_close_mechanic() -> None:
    mechanic, other = MechanicFactory.create(name="Mike Chen"), MechanicFactory.create()
    user, email = mechanic.user, mechanic.email
    team = [mechanic, other]
    for status in ("pending", "in_progress", "on_hold", "completed"):
        ServiceTicketFactory.create(status=status, mechanics=team)
    close_mechanic(mechanic=mechanic, actor=COMMAND)
    mechanic.refresh_from_db()
    assert (mechanic.name, mechanic.phone, mechanic.salary) == ("Mike Chen", "", None)
    assert (mechanic.user, mechanic.email, mechanic.is_available) == (None, None, False)
    assert user is not None
    assert email is not None
    user.refresh_from_db()
    assert (user.is_active, user.token_version, email in user.email) == (False, 3, False)
    assert [a.ticket.status for a in Assignment.objects.filter(mechanic=mechanic)] == ["completed"]
    assert Assignment.objects.filter(mechanic=other).count() == 4
    assert faults() == []


def test_a_departed_mechanic_is_not_there() -> None:
    mechanic = MechanicFactory.create()
    close_mechanic(mechanic=mechanic, actor=COMMAND)
    for gone in (mechanic, Mechanic(pk=999)):
        for move in (
            lambda gone=gone: close_mechanic(mechanic=gone, actor=COMMAND),
            lambda gone=gone: approve(mechanic=gone, actor=COMMAND),
            lambda gone=gone: change_mechanic(mechanic=gone, name="Back", actor=COMMAND),
        ):
            with refused(MechanicNotFound):
                move()


def test_the_other_hat_stays_on() -> None:
    user = UserFactory.create(email="both@example.com")
    CustomerFactory.create(user=user)
    close_mechanic(mechanic=MechanicFactory.create(user=user), actor=COMMAND)
    user.refresh_from_db()
    assert (user.email, user.is_active, user.token_version) == ("both@example.com", True, 1)
