"""Text files of data sets."""

from pathlib import Path

from edgeseld.core.errors import DataError


def read_text(path: Path) -> str:
    """Content of a UTF-8 file, with or without a byte order mark; DataError for another encoding."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: text must be UTF-8, got {error.reason} at byte {error.start}; save it so") from error
