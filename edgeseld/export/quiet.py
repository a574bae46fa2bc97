"""Converters warn of their own future, log every pass and draw progress bars."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

# TensorFlow, which the converter for TFLite loads, reads them once, while it loads.
TENSORFLOW = {"TF_CPP_MIN_LOG_LEVEL": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, nothing on stdout or stderr, and errors alone in the log."""
    for name, value in TENSORFLOW.items():
        os.environ.setdefault(name, value)
    level = logging.root.manager.disable
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(level)
