"""Which folder speaks to which system. The one place that knows them all."""

from collections.abc import Callable, Mapping

from integrations.google_calendar import client as google_calendar
from integrations.microsoft_bookings import client as microsoft_bookings
from integrations.models import Connection, Kind
from integrations.pms.acuitas import client as acuitas
from integrations.pms.connector import Connector
from integrations.pms.optisoft import client as optisoft
from integrations.pms.optix import client as optix

FACTORIES: Mapping[str, Callable[[Connection], Connector]] = {
    Kind.OPTIX: optix.connector_for,
    Kind.ACUITAS: acuitas.connector_for,
    Kind.OPTISOFT: optisoft.connector_for,
    Kind.GOOGLE_CALENDAR: google_calendar.connector_for,
    Kind.MICROSOFT_BOOKINGS: microsoft_bookings.connector_for,
}


def connector(connection: Connection) -> Connector:
    """The connection's system, ready to be asked; nothing is sent yet. Raises ProviderError
    (REJECTED) when the address it was given is none to send to.
    """
    return FACTORIES[connection.kind](connection)
