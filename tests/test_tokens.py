"""A token that is not good opens nothing: not one route, however it was made or came to be bad."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings as shop
from django.urls import reverse

from autoful.accounts.tests.factories import PASSWORD, UserFactory
from autoful.accounts.tokens import issue
from autoful.actor import Role
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona, wearing
from mechanics.models import Mechanic
from tests.matrix import ROWS
from tests.soundness import everything

pytestmark = pytest.mark.django_db

# Signing in reads no token, and the pages about the API are for everybody.
API = [
    row
    for row in ROWS
    if not row.path.endswith("login")
    and row.path.split("/")[1] in ("customers", "mechanics", "service_tickets", "inventory")
]
ANOTHER = "another horse battery"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.RATE_LIMITS = None
    settings.WHITENOISE_USE_FINDERS = False


# One for each way a route decides: anyone, whoever reads, mechanics, customers, one's own.
SOME = {
    *("POST /customers", "GET /customers", "GET /mechanics", "GET /customers/my-tickets"),
    *("PUT /mechanics/{mechanic}", "POST /inventory"),
}


def is_refused(token: str, nobody: Persona, *, what: Any = "", everywhere: bool = False) -> None:
    """401 on every route, the public ones too, in the house's shape; and nothing is changed."""
    before = everything() if everywhere else None
    nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    for row in API:
        if not everywhere and row.route not in SOME:
            continue
        ids = dict.fromkeys(("customer", "mechanic", "ticket", "part", "lisa", "mike", "line"), 1)
        answer = getattr(nobody, row.method.lower())(row.path.format(**ids), {})
        assert answer.status_code == 401, f"{what} {row}: {answer.status_code} {answer.content!r}"
        assert set(answer.json()) == {"code", "message"}
        assert answer["WWW-Authenticate"].startswith("Bearer")
    if everywhere:
        assert everything() == before


def token_of(person: Persona) -> str:
    return str(issue(person.actor.role, person.profile, person.user))


def claims_of(person: Persona) -> dict[str, Any]:
    return dict(jwt.decode(token_of(person), shop.SECRET_KEY, algorithms=["HS256"]))


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(claims: Any, header: Any = None, *, key: str = "", digest: Any = hashlib.sha256) -> str:
    """A token with our key, unless another is given, whatever it says of itself."""
    head = part({"alg": "HS256", "typ": "JWT"} if header is None else header)
    signed = f"{head}.{part(claims)}"
    mac = hmac.new((key or shop.SECRET_KEY).encode(), signed.encode(), digest).digest()
    return f"{signed}.{part(mac)}"


def opens(token: str, nobody: Persona, path: str = "/mechanics") -> bool:
    nobody.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return bool(nobody.get(path).status_code == 200)


def test_control_the_forgers_tools_work(mike: Persona, nobody: Persona) -> None:
    assert opens(forged(claims_of(mike)), nobody)


# --- How it says it was signed --------------------------------------------------------------------

HEADERS: list[Any] = [
    *({"alg": name} for name in ("none", "None", "NONE", "nOnE", "", "HS384", "HS512", "hs256")),
    *({"alg": name} for name in ("RS256", "ES256", "PS256", "EdDSA", "HS256 ", None, 256, True)),
    {"alg": ["HS256"]},
    {"alg": {"HS256": 1}},
    {"typ": "JWT"},
    {},
    [],
    "HS256",
    {"alg": "HS256", "crit": ["exp"]},
    {"alg": "HS256", "kid": 7},
    b"{",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"alg":' * 50_000,
]


def test_another_algorithm_named(mike: Persona, nobody: Persona) -> None:
    claims = claims_of(mike)
    for header in HEADERS:
        for token in (forged(claims, header), forged(claims, header).rpartition(".")[0] + "."):
            is_refused(token, nobody, what=repr(header)[:40])


@pytest.mark.parametrize("algorithm", ["HS384", "HS512", "none"])
def test_another_algorithm_used_rightly(algorithm: str, mike: Persona, nobody: Persona) -> None:
    key = "" if algorithm == "none" else shop.SECRET_KEY
    token = jwt.encode(claims_of(mike), key, algorithm=algorithm)
    is_refused(token, nobody, everywhere=True)


def test_another_key(mike: Persona, nobody: Persona) -> None:
    for key in ("another key " * 8, " ", "\0", "secret", "x" * 4096):
        is_refused(forged(claims_of(mike), key=key), nobody, what=key[:20])


def test_a_signature_cut_short_or_of_something_else(mike: Persona, nobody: Persona) -> None:
    good = token_of(mike)
    head, body, signature = good.split(".")
    other = part(claims_of(mike) | {"jti": "another"})
    for token in (
        *(f"{head}.{body}.{signature[:end]}" for end in (0, 1, 20, -1)),
        f"{head}.{other}.{signature}",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
        f"{good} {good}",
    ):
        is_refused(token, nobody, what=token)


# --- What it claims -------------------------------------------------------------------------------

ODD: list[Any] = [None, True, False, [], {}, "", " ", "x", -1, 0, 1.5, 10**30, "1; --", ["1"]]
# `exp` as a number that is no time this token could end.
NEVER: list[Any] = [10**9, 10**11, 10**18, 10**300, float("inf"), float("nan"), "9999999999", "1e9"]


CLAIMS = ["sub", "role", "account", "version", "exp", "iat", "jti", "token_type"]


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_missing_or_odd(claim: str, mike: Persona, nobody: Persona) -> None:
    """All of them signed with our own key."""
    good = claims_of(mike)
    odd = [*ODD, *(NEVER if claim in ("exp", "iat") else ())]
    for value in odd if claim != "jti" else ():  # which only has to be there
        is_refused(forged(good | {claim: value}), nobody, what=(claim, value))
    without = {name: value for name, value in good.items() if name != claim}
    is_refused(forged(without), nobody, what=f"without {claim}")


def test_no_end_or_one_that_is_past_or_too_far(mike: Persona, nobody: Persona) -> None:
    now, hour = int(time.time()), 3600
    claims = claims_of(mike)
    without = {name: value for name, value in claims.items() if name != "exp"}
    for wrong in (
        without,
        claims | {"exp": now - 1, "iat": now - hour - 1},
        claims | {"exp": now + hour + 60},
        claims | {"exp": now + 10 * 365 * 24 * hour},
        claims | {"exp": now + 2 * hour, "iat": now + hour},
    ):
        is_refused(forged(wrong), nobody, what=wrong, everywhere="exp" not in wrong)


def test_one_persons_token_with_anothers_number(
    mike: Persona, lisa: Persona, sarah: Persona, nobody: Persona
) -> None:
    """Each signed with our key, each claim good by itself."""
    mikes, lisas, sarahs = claims_of(mike), claims_of(lisa), claims_of(sarah)
    assert mike.id != lisa.id
    for wrong in (
        mikes | {"role": "customer"},
        sarahs | {"role": "mechanic"},
        *(
            mikes | {"role": role}
            for role in ("boss", "back_office", "command", "nobody", "Mechanic")
        ),
        mikes | {"sub": lisas["sub"]},
        mikes | {"account": lisas["account"]},
        mikes | {"version": 2},
        mikes | {"version": 0},
        mikes | {"sub": f"0{mikes['sub']}"},
        mikes | {"sub": f"{mikes['sub']}\n"},
        mikes | {"sub": "999999999"},
        mikes | {"token_type": "refresh"},
    ):
        is_refused(forged(wrong), nobody, what=wrong)


def test_the_same_number_in_the_other_role_is_another_person(nobody: Persona) -> None:
    """Customer 4711 and mechanic 4711, whose tokens differ in nothing but account and role."""
    both = []
    for role in (Role.CUSTOMER, Role.MECHANIC):
        email = {"email": f"{role}@example.com"}
        user = UserFactory.create(**email)
        fields = email if role is Role.CUSTOMER else {"approved": True}
        both.append(wearing(role, user, id=4711, name="Same Number", **fields))
    customer, mechanic = both
    assert customer.id == mechanic.id
    for person, other, own in (
        (customer, "/mechanics/4711", "/customers/4711"),
        (mechanic, "/customers/4711", "/mechanics/4711"),
    ):
        assert person.put(other, {"name": "Taken Over"}).status_code == 403
        assert person.delete(other).status_code == 403
        assert person.put(own, {"name": "Still Me"}).status_code == 200
    assert customer.get("/mechanics").status_code == 403
    assert mechanic.get("/customers/my-tickets").status_code == 403
    swapped = claims_of(customer) | {"role": "mechanic", "account": mechanic.user.pk}
    assert opens(forged(swapped), nobody), "with all three it is the mechanic's own"
    is_refused(forged(claims_of(customer) | {"role": "mechanic"}), nobody, everywhere=True)


# --- What became of its owner ---------------------------------------------------------------------


def through_the_api(method: str, **body: Any) -> Callable[[Persona, Desk], None]:
    def change(person: Persona, desk: Desk) -> None:
        path = f"/{person.actor.role}s/{person.id}"
        assert getattr(person, method)(path, body).status_code == 200

    return change


def page_of(person: Persona, name: str) -> str:
    meta = person.profile._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{name}", args=[person.id])


def deleted_in_the_admin(person: Persona, desk: Desk) -> None:
    assert desk.post(page_of(person, "delete"), {"post": "yes"}).status_code == 302


def deactivated_in_the_admin(person: Persona, desk: Desk) -> None:
    url = reverse("admin:accounts_user_change", args=[person.user.pk])
    assert desk.save(url, {"is_active": None}).status_code == 302


def new_password_in_the_admin(person: Persona, desk: Desk) -> None:
    url = reverse("admin:auth_user_password_change", args=[person.user.pk])
    new = {"password1": ANOTHER, "password2": ANOTHER}
    assert desk.post(url, new).status_code == 302


def own_password_in_the_admin(person: Persona, desk: Desk) -> None:
    type(person.user).objects.filter(pk=person.user.pk).update(is_staff=True)
    theirs = Desk(type(person.user).objects.get(pk=person.user.pk))
    new = {"old_password": PASSWORD, "new_password1": ANOTHER, "new_password2": ANOTHER}
    assert theirs.post(reverse("admin:password_change"), new).status_code == 302


ENDS = [
    through_the_api("put", password=ANOTHER),
    through_the_api("delete"),
    deleted_in_the_admin,
    deactivated_in_the_admin,
    new_password_in_the_admin,
    own_password_in_the_admin,
]


@pytest.mark.parametrize("role", ["customer", "mechanic"])
@pytest.mark.parametrize("end", ENDS, ids=["password", "delete", *(e.__name__ for e in ENDS[2:])])
def test_a_token_dies_with_what_it_stands_for(
    end: Callable[[Persona, Desk], None],
    role: str,
    sarah: Persona,
    mike: Persona,
    boss: Persona,
    nobody: Persona,
) -> None:
    person = {"customer": sarah, "mechanic": mike}[role]
    token = token_of(person)
    assert opens(token, nobody, f"/{role}s")
    end(person, Desk(boss.user))
    is_refused(token, nobody, everywhere=True)


def test_a_mechanic_whose_approval_is_withdrawn(mike: Persona, nobody: Persona) -> None:
    Mechanic.objects.filter(pk=mike.id).update(approved=False)
    is_refused(token_of(mike), nobody, everywhere=True)


def test_of_two_hats_the_token_of_the_one_taken_off_dies(mike: Persona, nobody: Persona) -> None:
    customer = wearing(Role.CUSTOMER, mike.user, name=mike.name, email=mike.user.email)
    token, others = token_of(mike), token_of(customer)
    assert mike.delete(f"/mechanics/{mike.id}").status_code == 200
    is_refused(token, nobody, everywhere=True)
    assert opens(others, nobody, "/customers/my-tickets")


def test_a_new_password_under_one_hat_ends_the_others_token(mike: Persona, nobody: Persona) -> None:
    customer = wearing(Role.CUSTOMER, mike.user, name=mike.name, email=mike.user.email)
    token = token_of(mike)
    changed = customer.put(f"/customers/{customer.id}", {"password": ANOTHER})
    assert changed.status_code == 200
    is_refused(token, nobody, everywhere=True)


def test_a_session_ends_with_the_password_and_the_account(boss: Persona, clerk: Persona) -> None:
    for end in (new_password_in_the_admin, deactivated_in_the_admin):
        session = Desk(clerk.user)
        assert session.get("/admin/").status_code == 200
        end(clerk, Desk(boss.user))
        assert session.get("/admin/").status_code == 302
        assert session.get("/mechanics", HTTP_ACCEPT="application/json").status_code == 401
        clerk.user.refresh_from_db()
