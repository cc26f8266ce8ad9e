"""What the pretend organisation and its Bookings are called."""

from integrations.sandbox.graph_memory import made_id

TENANT = made_id("tenant", "acuity.example")
OTHER_TENANT = made_id("tenant", "bellweather.example")
BUSINESS = "AcuityOpticians@acuity.example"
SERVICE = made_id(BUSINESS, "eye")
SHAH = made_id(BUSINESS, "Mrs Shah")
OKAFOR = made_id(BUSINESS, "Mr Okafor")
REFERENCE = "apt_01KB0000000000000000000001"
PLACES = "/solutions/bookingBusinesses/"
