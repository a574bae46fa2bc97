"""docs/features.md: its examples run, its array description reads, its figures are those of the committed benchmark."""

import doctest
import importlib
import json
import re
from pathlib import Path

import pytest

from edgeseld.signal.microphone_array import encoding_filters, read_array
from edgeseld.signal.presets import PRESETS

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs/features.md"
TEXT = DOCUMENT.read_text()


def test_examples_of_the_document() -> None:
    result = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert result.attempted >= 9
    assert result.failed == 0


@pytest.mark.parametrize("module", ["window", "channel_swap", "rotation", "stereo"])
def test_examples_of_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"edgeseld.signal.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_array_description(tmp_path: Path) -> None:
    description = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert description is not None
    (tmp_path / "array.json").write_text(description.group(1))
    assert encoding_filters(read_array(tmp_path / "array.json")).shape == (4, 4, 512)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_stands_in_the_table_with_its_settings(preset: str) -> None:
    settings = PRESETS[preset]
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{preset}` |"))
    window = f"{settings.n_fft}, {settings.window.capitalize()} {settings.window_samples}, {settings.hop_samples}"
    assert window in row
    assert ("none" in row) == (settings.dynamic_range_db is None)


@pytest.mark.parametrize("preset", ["dcase2023-foa", "dcase2023-mic", "salsa-lite"])
def test_the_speed_table_holds_the_committed_figures(preset: str) -> None:
    figures = json.loads((ROOT / "benchmarks/results/feature_speed.json").read_text())[preset]
    row = [line for line in TEXT.splitlines() if line.startswith(f"| `{preset}` |")][-1]
    ratios = {
        rival: f"({figures[f'{rival}_over_edgeseld']:.1f} x, {figures[f'{rival}_over_compiled']:.1f} x)"
        for rival in ("librosa", "official")
    }
    expected = [
        f"{1e3 * figures['edgeseld_s']:.0f} ms, {1e3 * figures['compiled_s']:.0f} ms",
        f"{1e3 * figures['librosa_float32_s']:.0f} ms {ratios['librosa']}",
        f"{1e3 * figures['edgeseld_file_s']:.0f} ms, {1e3 * figures['compiled_file_s']:.0f} ms",
        f"{1e3 * figures['official_file_s']:.0f} ms {ratios['official']}",
    ]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == expected


def test_the_first_compiled_features_cost_what_the_benchmark_says() -> None:
    figures = json.loads((ROOT / "benchmarks/results/feature_speed.json").read_text())
    kept, compiling = figures["first_compiled_kept_s"], figures["first_compiled_s"]
    assert f"a process {kept:.1f} s of processor time, compiling it the very first time {compiling:.1f} s" in TEXT
