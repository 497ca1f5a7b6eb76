from django.urls import re_path

from autoful.api.routers import ShopRouter
from tickets.views import MyTicketViewSet, ServiceTicketViewSet

router = ShopRouter()
# Both spellings are promised; the schema shows the first.
router.register("service_tickets", ServiceTicketViewSet, basename="service_tickets")
router.register("service-tickets", ServiceTicketViewSet, basename="service-tickets")
my_tickets = MyTicketViewSet.as_view({"get": "my_tickets"})

urlpatterns = [
    *router.urls,
    # Under /customers for the client, but about tickets, so it lives here.
    re_path(r"^customers/my-tickets/?$", my_tickets, name="my_tickets"),
]
