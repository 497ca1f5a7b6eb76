from django.apps import AppConfig


class SheetsConfig(AppConfig):
    name = "autoful.sheets"
    label = "sheets"
    verbose_name = "Spreadsheets"
