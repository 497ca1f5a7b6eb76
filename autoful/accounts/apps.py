from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "autoful.accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from django.contrib.auth.models import Group

        from autoful import audit
        from autoful.accounts import sign_in
        from autoful.accounts.models import User

        audit.register(User, masked=("password",), many=("groups", "user_permissions"))
        audit.register(Group, many=("permissions",))
        sign_in.audit_back_office_sign_ins()
