"""The limit's answers as views: what Django and DRF cost by themselves, see layers.py."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.views import APIView

from autoful.api.authentication import actor_of
from bench.limit import application as limit


def _by_hand(environ: dict[str, Any]) -> HttpResponse:
    status, said = limit.answer(environ)
    content = said if isinstance(said, bytes) else limit.rendered(said)
    return HttpResponse(content, status=status, content_type="application/json")


@csrf_exempt
def by_django(request: HttpRequest) -> HttpResponse:
    return _by_hand(request.META)


class ByDRF(APIView):
    permission_classes = ()

    def get(self, request: Request) -> HttpResponse:
        actor = actor_of(request)
        if actor.user:
            request.META["bench.caller"] = (actor.profile_id, actor.user.pk)
        return _by_hand(request.META)

    post = get


# URLconfs
DJANGO = (re_path("", by_django),)
DRF = (re_path("", ByDRF.as_view()),)
