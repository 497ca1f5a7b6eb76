"""The page on which somebody of the back office sets up their second factor, or does without it."""

from typing import Any, cast

import segno
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from autoful.accounts import second_factor
from autoful.accounts.errors import WrongCode
from autoful.accounts.forms import CodeField
from autoful.accounts.models import User
from autoful.admin.pages import back_office


class CodeForm(forms.Form):
    code = CodeField()


def page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """`context` is what every page of the site shows."""
    user, actor = cast(User, request.user), back_office(request)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and "remove" in request.POST:
        second_factor.remove(user=user, actor=actor)
        messages.success(request, "Your account has no second factor any more.")
        return redirect(request.path)
    has_one = second_factor.has_one(user)
    anew = not has_one or "anew" in request.GET
    if anew and form.is_valid():
        try:
            second_factor.confirm(user=user, code=form.cleaned_data["code"], actor=actor)
        except WrongCode as wrong:
            form.add_error("code", wrong.message)
        else:
            messages.success(request, "From now on you are asked for a code when you sign in.")
            return redirect("admin:index")
    context |= {"title": "Second factor", "form": form, "has_one": has_one, "anew": anew}
    context["required"] = user.second_factor_required
    if anew:
        device = second_factor.begin(user=user, actor=actor)
        picture = segno.make(device.config_url)
        context["picture"] = picture.svg_data_uri(scale=5, border=2, light="white")
        secret = device.config_url.partition("secret=")[2].partition("&")[0]
        context["secret"] = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    answer = TemplateResponse(request, "admin/second_factor.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """What unfold shows below the name of whoever is signed in."""
    return [{"title": "Second factor", "link": reverse("admin:second_factor")}]
