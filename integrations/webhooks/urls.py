"""Routes of Developer, Webhooks."""

from django.urls import path

from integrations.webhooks import views

app_name = "webhooks"
_ONE = "developer/webhooks/<str:webhook_id>"
_DELIVERY = f"{_ONE}/deliveries/<str:delivery_id>"
urlpatterns = [
    path("developer/webhooks", views.index, name="list"),
    path("developer/webhooks/new", views.new, name="new"),
    path(_ONE, views.show, name="show"),
    path(f"{_ONE}/edit", views.edit, name="edit"),
    path(f"{_ONE}/test", views.test, name="test"),
    path(f"{_ONE}/enable", views.enable, name="enable"),
    path(f"{_ONE}/disable", views.disable, name="disable"),
    path(f"{_ONE}/rotate", views.rotate, name="rotate"),
    path(f"{_ONE}/delete", views.delete, name="delete"),
    path(f"{_ONE}/resend-failed", views.resend_failed, name="resend-failed"),
    path(_DELIVERY, views.delivery, name="delivery"),
    path(f"{_DELIVERY}/resend", views.resend_one, name="resend"),
]
