"""The page on which somebody of the back office sets up their second factor, or does without it."""

from typing import Any, cast

import segno
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from autoful.accounts import second_factor
from autoful.accounts.errors import WrongCode
from autoful.accounts.forms import CodeField
from autoful.accounts.models import User
from autoful.actor import Actor
from autoful.admin.forms import add_refusal
from autoful.admin.people import back_office
from autoful.errors import DomainError

KEY = "second_factor"  # of the session: the secret that is proposed


class CodeForm(forms.Form):
    code = CodeField()


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """`context` is what every page of the site shows."""
    user, actor = cast(User, request.user), back_office(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    has_one = user.has_second_factor()
    done = None
    if form.is_valid():
        step = _turn_off if has_one else _set_up
        try:
            done = step(request, user, form.cleaned_data["code"], actor)
        except DomainError as refusal:
            add_refusal(form, refusal)
    if done:
        messages.success(request, done)
        return redirect("admin:index" if not has_one else request.path)
    context |= {"title": "Second factor", "form": form, "has_one": has_one}
    context["required"] = user.second_factor_required
    if not has_one:
        device = second_factor.proposed(user, request.session.get(KEY, ""))
        request.session[KEY] = device.key
        picture = segno.make(device.config_url)
        context["picture"] = picture.svg_data_uri(scale=5, border=2, light="white")
        secret = device.config_url.partition("secret=")[2].partition("&")[0]
        context["secret"] = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    answer = TemplateResponse(request, "admin/second_factor.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _set_up(request: HttpRequest, user: User, code: str, actor: Actor) -> str:
    key = request.session.get(KEY, "")
    user = second_factor.confirm(user=user, key=key, code=code, actor=actor)
    del request.session[KEY]
    update_session_auth_hash(request, user)  # this session stays, all others end
    return "From now on you are asked for a code when you sign in. Other sessions have ended."


def _turn_off(request: HttpRequest, user: User, code: str, actor: Actor) -> str:
    # Not by whoever finds the desk unattended: the phone has to be at hand.
    if not second_factor.is_right(user, code):
        raise WrongCode
    second_factor.remove(users=[user], actor=actor)
    return "Your account has no second factor any more."


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """What unfold shows below the name of whoever is signed in."""
    return [{"title": "Second factor", "link": reverse("admin:second_factor")}]
