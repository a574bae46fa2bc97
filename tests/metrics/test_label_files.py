"""Every official CSV form, and files that break it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseld.core.errors import DataError
from edgeseld.metrics.faults import ScoreWarning
from edgeseld.metrics.label_files import label_files, read_label_folder, read_labels
from edgeseld.metrics.labels import Labels
from edgeseld.metrics.rules import RULES, Role
from edgeseld.metrics.score import score

HEADER = "frame,class,source,azimuth,distance,onscreen\n"


def read(folder: Path, content: str, year: int, role: Role = "prediction", corrected: bool = False) -> Labels:
    path = folder / "a.csv"
    path.write_bytes(content.encode())
    return read_labels(path, replace(RULES[f"dcase{year}"], corrected=corrected), role)


def place(labels: Labels) -> tuple[float, float]:
    return float(labels.azimuth_deg[0].round(6)), float(labels.elevation_deg[0].round(6))


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
@pytest.mark.parametrize("role", ["reference", "prediction"])
def test_5_columns_are_polar(tmp_path: Path, year: int, role: Role) -> None:
    labels = read(tmp_path, "3,7,2,-30,15\n", year, role)
    assert (labels.frame[0], labels.class_id[0], labels.source[0], *place(labels)) == (3, 7, 2, -30, 15)
    assert labels.distance_m is None


@pytest.mark.parametrize(
    ("year", "role", "expected"),
    [
        (2021, "prediction", (90, 0)),
        (2022, "prediction", (90, 0)),
        (2021, "reference", (0, 1)),
        (2022, "reference", (0, 1)),
        (2023, "prediction", (0, 1)),
        (2024, "prediction", (0, 1)),
        (2024, "reference", (0, 1)),
    ],
)
def test_6_columns_are_cartesian_in_predictions_up_to_2022(
    tmp_path: Path, year: int, role: Role, expected: tuple[float, float]
) -> None:
    assert place(read(tmp_path, "3,7,2,0,1,0\n", year, role)) == expected


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
def test_7_columns_are_cartesian_of_any_length(tmp_path: Path, year: int) -> None:
    assert place(read(tmp_path, "3,7,2,0,0,-0.4,1\n", year)) == (0, -90)


@pytest.mark.parametrize(
    ("year", "role", "row", "distance_m"),
    [
        (2024, "reference", "0,0,0,10,20,150", 1.5),
        (2024, "prediction", "0,0,0,10,20,1.5", 1.5),
        (2024, "prediction", "0,0,0,1,0,0,1.5", 1.5),
        (2024, "reference", "0,0,0,1,0,0,150", 1.5),
        (2025, "reference", HEADER + "0,0,0,10,150,1", 1.5),
        (2025, "prediction", HEADER + "0,0,0,10,150,1", 1.5),
    ],
)
def test_distances(tmp_path: Path, year: int, role: Role, row: str, distance_m: float) -> None:
    labels = read(tmp_path, row, year, role)
    assert labels.distance_m is not None
    assert labels.distance_m.tolist() == [distance_m]


def test_distances_are_left_out_where_they_do_not_count(tmp_path: Path) -> None:
    assert read(tmp_path, "0,0,0,10,20,150\n", 2023).distance_m is None


def test_stereo(tmp_path: Path) -> None:
    labels = read(tmp_path, HEADER + "4,2,1,-35.5,120,1\n5,2,1,-35.5,120,0\n", 2025)
    assert labels.onscreen is not None
    assert (labels.frame.tolist(), labels.azimuth_deg.tolist(), labels.onscreen.tolist()) == (
        [4, 5],
        [-35.5] * 2,
        [1, 0],
    )


@pytest.mark.parametrize(
    "content",
    [
        "0,0,0,10,20\n1,0,0,10,20\n",
        "0,0,0,10,20\r\n1,0,0,10,20\r\n",
        "0, 0, 0, 10, 20\n1, 0, 0, 10, 20",
        "frame,class,source,azimuth,elevation\n0,0,0,10,20\n1,0,0,10,20\n",
        "\ufeffFrame,Class,Source,Azimuth,Elevation\n0,0,0,10,20\n1,0,0,10,20\n",
        "0,0,0,10,20\n\n1,0,0,+10,20.\n\n",
        "0.0,0,0,1e1,2e1\n1,0,0,10,20\n",
        "\ufeff0,0,0,10,20\r1,0,0,10,20\r",
    ],
)
def test_spellings_of_one_file(tmp_path: Path, content: str) -> None:
    labels = read(tmp_path, content, 2023)
    assert (labels.frame.tolist(), labels.azimuth_deg.tolist(), labels.elevation_deg.tolist()) == (
        [0, 1],
        [10] * 2,
        [20] * 2,
    )


@pytest.mark.parametrize("content", ["", "\n", "  \n\n"])
@pytest.mark.parametrize("year", [2022, 2024])
def test_an_empty_file_holds_no_events(tmp_path: Path, content: str, year: int) -> None:
    labels = read(tmp_path, content, year)
    assert (len(labels), labels.last_frame) == (0, -1)
    assert len(read(tmp_path, HEADER, 2025)) == 0
    assert len(read(tmp_path, "", 2025)) == 0


@pytest.mark.parametrize(
    ("content", "year", "message"),
    [
        ("0,0,0,10,20\n1,0,0,10,twenty\n", 2023, r"a.csv, line 2: numbers separated by commas.*'1,0,0,10,twenty'"),
        ("0;0;0;10;20\n", 2023, r"a.csv, line 1: numbers separated by commas"),
        ("0,0,0,10,20\n1.5,0,0,10,20\n", 2023, r"a.csv, line 2: frame, class, source"),
        ("frame,class,source,azimuth,elevation\nnan,0,0,10,20\n", 2023, r"a.csv, line 2: frame, class, source"),
        ("0,0,0,10,20\n1,0,0,1,0,0\n", 2023, r"a.csv, line 2: 6 columns after lines of 5; a file holds one form"),
        ("0,0,10,20\n", 2024, r"a.csv, line 1: 4 columns, but label files have 5 columns"),
        (HEADER + "0,0,0,10,20\n", 2025, r"a.csv, line 2: 5 columns, but label files have 6 columns frame,class"),
        (HEADER + "0,0,0,10,20,0.5\n", 2025, r"a.csv, line 2: frame, class, source and on-screen are whole"),
        ("colour,shape\n0,0,0,10,20\n", 2023, r"a.csv, line 1: numbers separated by commas"),
    ],
)
@pytest.mark.parametrize("corrected", [False, True])
def test_rows_that_cannot_be_read(tmp_path: Path, content: str, year: int, message: str, corrected: bool) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, content, year, corrected=corrected)


def test_a_row_of_another_width_is_dropped_but_its_frame_counts(tmp_path: Path) -> None:
    content = "0,0,0,10,20\n35,0\n1,0,0,10,20\n"
    with pytest.warns(ScoreWarning, match=r"line 2: 2 columns, but label files have 5 columns.*drops the rest"):
        labels = read(tmp_path, content, 2023, "reference")
    assert labels.last_frame == 35
    counts = score({"a": labels}, {"a": labels}, RULES["dcase2023"]).counts
    assert counts.references.sum() == 1
    with pytest.raises(DataError, match="line 2: 2 columns"):
        read(tmp_path, content, 2023, "reference", corrected=True)


def test_without_header_the_2025_program_loses_the_first_row(tmp_path: Path) -> None:
    with pytest.warns(ScoreWarning, match="no header line"):
        assert read(tmp_path, "0,0,0,10,20,0\n1,0,0,10,20,0\n", 2025).frame.tolist() == [1]
    assert read(tmp_path, "0,0,0,10,20,0\n1,0,0,10,20,0\n", 2025, corrected=True).frame.tolist() == [0, 1]


def test_cartesian_rows_that_are_no_directions(tmp_path: Path) -> None:
    with pytest.warns(ScoreWarning, match="line 2: a direction x, y, z must not have the length 0"):
        assert place(read(tmp_path, "0,0,0,0,0,1,2\n0,0,0,0,0,0,2\n", 2024)) == (0, 90)
    with pytest.raises(DataError, match="must not have the length 0"):
        read(tmp_path, "0,0,0,0,0,0,2\n", 2024, corrected=True)
    with pytest.warns(ScoreWarning, match=r"in 6 columns must have a length near 1 \(polar predictions have 5"):
        read(tmp_path, "0,0,0,120,30,2.5\n", 2022)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0,13,0,10,20", r"prediction a, line 2: a class must be in 0..12, got 13"),
        ("-1,0,0,10,20", r"line 2: a frame index must be 0 or more, got -1"),
        ("0,0,0,190,20", r"line 2: azimuth must be in \[-180, 180\] degrees, got 190"),
        ("0,0,0,10,95.5", r"line 2: elevation must be in \[-90, 90\] degrees, got 95.5"),
        ("0,0,0,10,nan", r"line 2: elevation must be in \[-90, 90\] degrees, got nan"),
        ("0,0,0,inf,0", r"line 2: azimuth must be in \[-180, 180\] degrees, got inf"),
    ],
)
def test_values_out_of_range_name_their_line(tmp_path: Path, row: str, message: str) -> None:
    reference = {"a": read(tmp_path, "0,1,0,10,20\n11,1,0,10,20\n", 2023, "reference")}
    for corrected in (False, True):
        rules = replace(RULES["dcase2023"], corrected=corrected)
        prediction = {"a": read(tmp_path, f"0,1,0,10,20\n{row}\n", 2023, corrected=corrected)}
        if corrected:
            with pytest.raises(DataError, match=message):
                score(reference, prediction, rules)
        else:
            with pytest.warns(ScoreWarning, match=message):
                score(reference, prediction, rules)


class TestFolders:
    def test_files_are_found_at_any_depth_and_sorted(self, tmp_path: Path) -> None:
        for name in ("dev-test-tau/b.csv", "dev-test-sony/a.csv", "c.csv", "notes.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("0,0,0,10,20\n")
        assert list(label_files(tmp_path)) == ["a", "b", "c"]
        assert len(read_label_folder(tmp_path, RULES["dcase2023"], "reference")) == 3

    def test_two_of_one_name(self, tmp_path: Path) -> None:
        for folder in ("x", "y"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "a.csv").touch()
        with pytest.raises(DataError, match=r"matched by name, but .* share one"):
            label_files(tmp_path)

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no CSV file in"):
            label_files(tmp_path)
        with pytest.raises(DataError, match="a folder of CSV files is needed"):
            label_files(tmp_path / "absent")


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    generator = np.random.default_rng(5)
    words = [repr(float(value)) for value in generator.normal(size=3000) * 10.0 ** generator.integers(-9, 2, 3000)]
    rows = [f"0,0,0,{x},{y},{z}" for x, y, z in zip(*[iter(words)] * 3, strict=True)]
    labels = read(tmp_path, "\n".join(rows), 2024)
    assert labels.azimuth_deg.tolist() == [float(word) for word in words[::3]]
    assert labels.distance_m is not None
    assert labels.distance_m.tolist() == [float(word) for word in words[2::3]]
