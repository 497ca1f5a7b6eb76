from autoful.api.routers import ShopRouter
from customers.views import CustomerViewSet

router = ShopRouter()
router.register("customers", CustomerViewSet, basename="customers")

urlpatterns = router.urls
