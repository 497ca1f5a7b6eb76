from autoful.api.routers import ShopRouter
from mechanics.views import MechanicViewSet

router = ShopRouter()
router.register("mechanics", MechanicViewSet, basename="mechanics")

urlpatterns = router.urls
