"""Where everything lies that can be made again."""

import os
import tempfile
from pathlib import Path

from edgeseld.core.errors import ConfigError


def cache_root() -> Path:
    """`EDGESELD_CACHE`, or `edgeseld` in the user's cache folder; ConfigError where nothing can be written there."""
    chosen = os.environ.get("EDGESELD_CACHE")
    root = Path(chosen) if chosen else _user_cache() / "edgeseld"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            return root
    except OSError as error:
        raise ConfigError(
            f"clips, rooms and tools are kept in {root}, where nothing can be written ({error.strerror}): let "
            "EDGESELD_CACHE name a folder of yours"
        ) from error


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
