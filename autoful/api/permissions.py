"""Who may call a route. A viewset names one of these for each of its actions; none means nobody."""

from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from autoful.actor import Role
from autoful.api.authentication import actor_of


class Nobody(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class Anyone(BasePermission):
    """No sign-in needed."""


class PublicRead(BasePermission):
    """Anyone, unless the shop closed its public routes; then whoever signed in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return settings.AUTOFUL_PUBLIC_READS or actor_of(request).role is not Role.NOBODY


class IsCustomer(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        return actor_of(request).role is Role.CUSTOMER


class WorksHere(BasePermission):
    """Mechanics, and back office with the Django permission named."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    def has_permission(self, request: Request, view: Any) -> bool:
        return actor_of(request).works_here(self.permission)


class OwnProfile(BasePermission):
    """That very customer or mechanic, and back office with the Django permission named."""

    def __init__(self, role: Role, permission: str) -> None:
        self.role = role
        self.permission = permission

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = actor_of(request)
        if actor.role is Role.BACK_OFFICE:
            return actor.works_here(self.permission)
        return actor.role is self.role

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        actor = actor_of(request)
        return actor.role is Role.BACK_OFFICE or actor.is_profile(self.role, obj.pk)
