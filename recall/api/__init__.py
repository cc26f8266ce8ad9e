"""The public API of the recall: calls, appointments, campaigns, events, the campaign agent."""

from recall.api import agent, appointments, calls, campaigns, events, recall, recalls

urlpatterns = [
    *recall.urlpatterns,
    *calls.urlpatterns,
    *appointments.urlpatterns,
    *campaigns.urlpatterns,
    *recalls.urlpatterns,
    *events.urlpatterns,
    *agent.urlpatterns,
]
