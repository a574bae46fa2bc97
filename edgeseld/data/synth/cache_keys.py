"""Names of the folders in which clips and room responses stay between runs: hashes of all they were made from."""

import hashlib
from typing import Any

import msgspec

# Raised whenever the same plan would sound different; part of every key and of dataset.json.
ENGINE_VERSION = 1


def cache_key(*parts: Any) -> str:
    """Short hash of structs, tuples and numbers."""
    return hashlib.sha256(msgspec.json.encode((ENGINE_VERSION, parts))).hexdigest()[:20]
