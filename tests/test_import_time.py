"""What a plain import may load: people pay for it at every start."""

import subprocess
import sys

FORBIDDEN = {"torch", "tensorflow", "coremltools", "executorch", "lightning", "scipy", "matplotlib", "librosa", "onnx"}


def test_runtime_and_command_line_load_no_heavy_library() -> None:
    code = "import sys, edgeseld, edgeseld.runtime, edgeseld.cli; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not FORBIDDEN & set(loaded)
