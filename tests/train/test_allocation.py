"""Large tensors of one step lie where those of the step before lay."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
import numpy as np
from edgeseld.train.allocation import keep_freed_memory

if {kept}:
    assert keep_freed_memory()
block = 2**23
np.ones(block)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(kept: bool) -> int:
    """Of five times 64 MB, written after such a block was freed."""
    done = subprocess.run([sys.executable, "-c", FAULTS.format(kept=kept)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc can be asked")
def test_freed_blocks_are_used_again_without_the_kernel() -> None:
    assert page_faults(kept=True) * 20 < page_faults(kept=False)
