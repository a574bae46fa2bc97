"""Where clips and room responses stay between runs: folders named by a hash of everything they were made from."""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec

# Raised whenever the same plan would sound different; part of every key and of dataset.json.
ENGINE_VERSION = 1


def cache_root() -> Path:
    """`EDGESELD_CACHE`, or `edgeseld` in the user's cache folder."""
    chosen = os.environ.get("EDGESELD_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeseld"


def cache_key(*parts: Any) -> str:
    """Short hash of structs, tuples and numbers."""
    return hashlib.sha256(msgspec.json.encode((ENGINE_VERSION, parts))).hexdigest()[:20]
