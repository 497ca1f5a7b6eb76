from autoful.api.routers import ShopRouter
from tickets.views import MyTicketViewSet, ServiceTicketViewSet

router = ShopRouter()
# Both spellings are promised; the schema shows the first.
router.register("service_tickets", ServiceTicketViewSet, basename="service_tickets")
router.register("service-tickets", ServiceTicketViewSet, basename="service-tickets")
# Under /customers for the client, but about tickets, so it lives here.
router.register("customers", MyTicketViewSet, basename="my_tickets")

urlpatterns = router.urls
