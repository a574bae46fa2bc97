"""`edgeseld doctor`."""

import importlib.metadata
import importlib.util
import platform

import click

from edgeseld import __version__

# What each extra brings, by the module that tells whether it is there.
EXTRAS = {
    "tflite": ("run TFLite bundles", "ai_edge_litert", "ai-edge-litert"),
    "executorch": ("run ExecuTorch bundles", "executorch", "executorch"),
    "coreml": ("read Core ML bundles", "coremltools", "coremltools"),
    "metrics": ("jackknife intervals, PSDS", "sed_scores_eval", "sed_scores_eval"),
    "plot": ("draw events", "matplotlib", "matplotlib"),
    "stream": ("listen to a microphone", "sounddevice", "sounddevice"),
    "serve": ("run the server", "fastapi", "fastapi"),
    "synth": ("make scenes", "pyroomacoustics", "pyroomacoustics"),
    "train": ("train and distil", "lightning", "lightning"),
    "export": ("export bundles", "litert_torch", "litert-torch"),
    "reference": ("compare features with librosa", "librosa", "librosa"),
    "fast": ("compute features of data sets fast", "numba", "numba"),
}


@click.command(name="doctor", epilog="Example: edgeseld doctor")
def command() -> None:
    """Say what is installed, which parts of edgeseld work, and what to install for the rest."""
    from edgeseld.cli.terminal import print_table
    from edgeseld.core.locate import model_ids, models_folder

    rows = [["hear with ONNX bundles", "onnxruntime", importlib.metadata.version("onnxruntime"), ""]]
    for extra, (purpose, module, distribution) in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        version = importlib.metadata.version(distribution) if there else "missing"
        rows.append([purpose, distribution, version, "" if there else f"pip install 'edgeseld[{extra}]'"])
    print_table(
        f"edgeseld {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
        ["to", "library", "version", "install with"],
        rows,
    )
    click.echo(f"models in {models_folder()}: {', '.join(model_ids()) or 'none'}")
