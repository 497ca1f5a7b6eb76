from autoful.api.routers import ShopRouter
from inventory.views import PartViewSet

router = ShopRouter()
router.register("inventory", PartViewSet, basename="inventory")

urlpatterns = router.urls
