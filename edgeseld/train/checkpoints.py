"""Checkpoints that a kill at any moment leaves whole: Lightning's own go through a temporary file on another disk."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from edgeseld.core.atomic import atomic_file


class AtomicCheckpoints(TorchCheckpointIO):
    """Write beside the old checkpoint, then replace it."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Lightning calls this."""
        with atomic_file(Path(path)) as temporary:
            torch.save(checkpoint, temporary)
