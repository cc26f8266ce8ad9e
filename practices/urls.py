"""Routes of Settings."""

from django.urls import path

from practices.views import api_keys

app_name = "practices"
urlpatterns = [
    path("settings/api-keys", api_keys.index, name="api-keys"),
    path("settings/api-keys/new", api_keys.new, name="new-api-key"),
    path("settings/api-keys/<str:key_id>/revoke", api_keys.revoke, name="revoke-api-key"),
]
