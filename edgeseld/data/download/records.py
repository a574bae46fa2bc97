"""Public records of the data sets on Zenodo: numbers, files, licences, and MD5 sums where they are known beforehand.

A known sum must be the one that the record's own listing gives; an unknown one is taken from that listing.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip file of a record; its stem is the folder that it fills."""

    file: str
    md5: str | None = None

    @property
    def folder(self) -> str:
        """Folder below the data set."""
        return self.file.removesuffix(".zip")


@dataclass(frozen=True, slots=True)
class PublicRecord:
    """A data set: its labels, which always come, and its other parts by name, of which the first is the default."""

    title: str
    record: int
    licence: str
    labels: Archive
    parts: Mapping[str, Archive]


RECORDS: dict[str, PublicRecord] = {
    "starss22": PublicRecord(
        title="STARSS22 1.0, development set: 121 scenes, 5 h",
        record=6_387_880,
        licence="MIT",
        labels=Archive("metadata_dev.zip", "b460e17e0848c49f03f238afb89fa87e"),
        parts={
            "foa": Archive("foa_dev.zip", "165dd033b262dc11a8853635c1def59b"),
            "mic": Archive("mic_dev.zip", "46b55d0be507afa986cd29120e42b188"),
        },
    ),
    "starss23": PublicRecord(
        title="STARSS23 1.1, development set: 168 scenes, 7.5 h, 360-degree video of 156",
        record=7_880_637,
        licence="MIT",
        labels=Archive("metadata_dev.zip", "e73af95a6d5f3f7e009ac6a70804f44a"),
        parts={
            "foa": Archive("foa_dev.zip", "316b834ee6393c22862c314cc3c7ebb0"),
            "mic": Archive("mic_dev.zip", "06967bcc8def1580c2425fabc311dbd2"),
            "video": Archive("video_dev.zip"),
        },
    ),
    "dcase2025-stereo": PublicRecord(
        title="DCASE 2025 task 3 stereo 1.1, development set: 30,000 clips of 5 s with video",
        record=15_559_774,
        licence="MIT",
        labels=Archive("metadata_dev.zip"),
        parts={"stereo": Archive("stereo_dev.zip"), "video": Archive("video_dev.zip")},
    ),
    "maestro-real": PublicRecord(
        title="MAESTRO Real, development set: 49 recordings, 3 h, soft labels",
        record=7_244_360,
        licence="own licence of Tampere University: academic use, not commercial",
        labels=Archive("development_annotation.zip"),
        parts={"audio": Archive("development_audio.zip")},
    ),
}
