"""Addresses of the patient's pages. `<token>` is the key; logs name the route, never the path."""

from django.urls import path

from recall.booking import public_views as views

urlpatterns = [
    path("b/<str:token>", views.booking, name="booking"),
    path("b/<str:token>/done", views.done, name="booking-done"),
    path("b/<str:token>/move", views.move, name="booking-move"),
    path("b/<str:token>/cancel", views.cancel, name="booking-cancel"),
    path("b/<str:token>/cancelled", views.cancelled, name="booking-cancelled"),
    path("b/<str:token>/confirm", views.confirm, name="booking-confirm"),
    path("b/<str:token>/ring", views.ring, name="booking-ring"),
    path("b/<str:token>/ring/asked", views.ring_asked, name="booking-ring-asked"),
    path("b/<str:token>/stop", views.stop, name="booking-stop"),
    path("b/<str:token>/appointment.ics", views.calendar, name="booking-calendar"),
    path("c/<str:token>.ics", views.calendar_of_appointment, name="calendar-file"),
    path("o/<str:token>", views.opt_out, name="opt-out"),
    path("o/<str:token>/one-click", views.one_click, name="opt-out-one-click"),
]
