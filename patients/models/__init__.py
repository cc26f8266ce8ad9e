"""The records: patients, suppressed numbers and addresses, the TPS register's metadata,
imports, and readings of practice management systems."""

from patients.models.imports import (
    ImportChange,
    ImportChunk,
    ImportFile,
    ImportMapping,
    ImportReject,
    ImportRun,
    ImportState,
)
from patients.models.patient import DueSource, NumberKind, Patient, RiskCategory
from patients.models.suppression import Suppression, SuppressionKind
from patients.models.sync import PmsRecord, SyncRun, SyncScope, SyncSeen, SyncState
from patients.models.tps import RegisterList, TpsListing, TpsRegister

__all__ = [
    "DueSource",
    "ImportChange",
    "ImportChunk",
    "ImportFile",
    "ImportMapping",
    "ImportReject",
    "ImportRun",
    "ImportState",
    "NumberKind",
    "Patient",
    "PmsRecord",
    "RegisterList",
    "RiskCategory",
    "Suppression",
    "SuppressionKind",
    "SyncRun",
    "SyncScope",
    "SyncSeen",
    "SyncState",
    "TpsListing",
    "TpsRegister",
]
