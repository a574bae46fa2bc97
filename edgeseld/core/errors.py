"""Errors a user can meet. Every message states the rule, the value received and the next step."""


class EdgeseldError(Exception):
    """Base of all errors that the command line turns into one line and exit code 1."""


class ConfigError(EdgeseldError):
    """A recipe, specification or manifest breaks its schema."""


class AudioFormatError(EdgeseldError):
    """Audio has the wrong channels, rate, length or values, or its file cannot be decoded."""


class DataError(EdgeseldError):
    """A data set, label file or prediction file is missing, incomplete or malformed."""


class BundleError(EdgeseldError):
    """A bundle is incomplete, altered, unsafe or of a newer schema."""


class BackendMissingError(EdgeseldError):
    """An optional dependency is not installed; the message holds the pip line that installs it."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the extra {extra!r}: pip install 'edgeseld[{extra}]'")


class ExportError(EdgeseldError):
    """A model cannot be exported to the wanted target and precision."""


class ParityError(ExportError):
    """An exported model does not hear what the float model hears."""


class TrainingError(EdgeseldError):
    """Training cannot start or cannot go on."""


class DiskFullError(EdgeseldError):
    """No space is left for an output or for temporary files."""


class StreamError(EdgeseldError):
    """A live stream cannot start or go on: its device is gone, or it is over."""
