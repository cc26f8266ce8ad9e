"""Owns the uploaded bytes between the upload and the end of the import: packed and encrypted."""

import zlib

from patients.models import ImportFile, ImportRun
from sightsync.lib import crypto


def store(run: ImportRun, content: bytes) -> None:
    """Keep the bytes, in the caller's transaction."""
    ImportFile(
        run=run,
        practice_id=run.practice_id,
        content=crypto.encrypt_bytes(zlib.compress(content, 1)),
    ).save(force_insert=True)


def content(run: ImportRun) -> bytes:
    """The bytes as they were uploaded. Raises ImportFile.DoesNotExist once they are forgotten."""
    stored = ImportFile.objects.only("content").get(run=run)
    return zlib.decompress(crypto.decrypt_bytes(bytes(stored.content)))


def forget(run: ImportRun) -> None:
    """The import has ended or was discarded: the bytes go."""
    ImportFile.objects.filter(run=run).delete()
