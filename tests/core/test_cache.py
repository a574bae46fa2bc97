"""Where things lie that can be made again."""

from pathlib import Path

import pytest

from edgeseld.core.cache import cache_root
from edgeseld.core.errors import ConfigError


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("EDGESELD_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_our_own_variable_counts_more_than_the_users_cache_and_that_more_than_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert cache_root() == tmp_path / "home" / ".cache" / "edgeseld"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "edgeseld"
    monkeypatch.setenv("EDGESELD_CACHE", str(tmp_path / "ours"))
    assert cache_root() == tmp_path / "ours"
    assert cache_root().is_dir()
    assert not list(cache_root().iterdir())


def test_a_place_where_nothing_can_be_written_is_told_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("EDGESELD_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ConfigError, match=r"file.cache, where nothing can be written .* let EDGESELD_CACHE name"):
        cache_root()
