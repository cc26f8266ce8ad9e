"""The records: patients, suppressed numbers and addresses, the TPS register's metadata, imports."""

from patients.models.imports import ImportRun
from patients.models.patient import DueSource, NumberKind, Patient, RiskCategory
from patients.models.suppression import Suppression, SuppressionKind
from patients.models.tps import RegisterList, TpsListing, TpsRegister

__all__ = [
    "DueSource",
    "ImportRun",
    "NumberKind",
    "Patient",
    "RegisterList",
    "RiskCategory",
    "Suppression",
    "SuppressionKind",
    "TpsListing",
    "TpsRegister",
]
