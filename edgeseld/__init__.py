"""edgeseld: sound event localization and detection on phones and edge devices."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from edgeseld.runtime.model import load as load


def __getattr__(name: str) -> Any:
    """`edgeseld.load` is imported on first use, so that `import edgeseld` stays light."""
    if name == "load":
        from edgeseld.runtime.model import load

        return load
    raise AttributeError(f"module 'edgeseld' has no attribute {name!r}")
