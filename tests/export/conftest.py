"""A tiny model, and its ONNX bundle, made once per session."""

from pathlib import Path

import pytest

from tests.tiny import make_bundle, make_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with model.toml and weights."""
    return make_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def tiny_bundle(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ONNX fp32."""
    return make_bundle(tiny_model, "onnx", tmp_path_factory.mktemp("bundles"))
