"""Routes with and without a trailing slash, and only those."""

from typing import Any

from rest_framework.routers import SimpleRouter


class ShopRouter(SimpleRouter):
    """Each route answers both spellings itself: a redirect would lose the body of a PUT."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trailing_slash = "/?"
