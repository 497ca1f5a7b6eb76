from django.apps import AppConfig


class SheetsConfig(AppConfig):
    name = "autoful.sheets"
    label = "sheets"
    verbose_name = "Spreadsheets"

    def ready(self) -> None:
        from autoful.sheets import staging

        staging.forget_at_sign_in()
