"""Routes of Settings, Phone number."""

from django.urls import path

from integrations.numbers import views

app_name = "numbers"
urlpatterns = [
    path("settings/phone-number", views.index, name="index"),
    path("settings/phone-number/buy", views.buy, name="buy"),
    path("settings/phone-number/papers", views.correct, name="correct"),
    path("settings/phone-number/stop", views.abandon, name="abandon"),
    path("settings/phone-number/release", views.release, name="release"),
]
