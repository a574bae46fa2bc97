"""Which video belongs to which scene, in sets that have them: STARSS23 (360 degrees) and the DCASE 2025 stereo set.

    ROOT/video_dev/{dev-train,dev-test}-{sony,tau}/fold3_room21_mix013.mp4

STARSS23 lacks 12 of its 168 videos, fold3_room21_mix001 to 012.
"""

from collections.abc import Iterable
from pathlib import Path

from edgeseld.core.errors import DataError
from edgeseld.data.layout import SceneFiles, files_by_key

VIDEO_FOLDER = "video_dev"


def list_videos(root: Path) -> dict[str, Path]:
    """Videos of a data set by the name of their scene; DataError where their folder is missing."""
    folder = root / VIDEO_FOLDER
    if not folder.is_dir():
        raise DataError(f"videos lie in {VIDEO_FOLDER}/, which {root} lacks: download that part of the set")
    return {path.stem: path for path in files_by_key(folder, (".mp4",)).values()}


def scene_videos(root: Path, scenes: Iterable[SceneFiles]) -> dict[str, Path]:
    """The videos of these scenes by name; a scene without one is left out."""
    videos = list_videos(root)
    return {scene.name: videos[scene.name] for scene in scenes if scene.name in videos}
