"""What scores are made of: counts and error sums per file and class, which add up over files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from edgeseld.metrics.grouping import Groups
from edgeseld.metrics.matching import Matches
from edgeseld.metrics.rules import Rules

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

EPSILON = np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Sufficient statistics: any score of any set of files follows from their sum.

    Tracks per block (segment of 1 s, or label frame), shape (files, classes): `references`, `true_positives`,
    `spatial_false_positives` (matched, but too far off), `false_positives` (surplus) and `misses`; over the matched
    tracks the sums of their errors. Blocks, shape (files,): `substitutions`, `deletions`, `insertions`.
    """

    files: tuple[str, ...]
    references: Float64
    true_positives: Float64
    spatial_false_positives: Float64
    false_positives: Float64
    misses: Float64
    angle_error_deg: Float64
    distance_error_m: Float64
    relative_distance_error: Float64
    onscreen_correct: Float64
    substitutions: Float64
    deletions: Float64
    insertions: Float64

    @property
    def matched(self) -> Float64:
        """Tracks of the right class at the right time, wherever they are."""
        return self.true_positives + self.spatial_false_positives


FILE_COLUMNS = ["substitutions", "deletions", "insertions"]
CLASS_COLUMNS = [field.name for field in fields(Counts) if field.name not in ("files", *FILE_COLUMNS)]


def join(sets: Mapping[str, Counts]) -> Counts:
    """The counts of several sets as those of one; files get the set's name before theirs."""
    columns = {
        name: np.concatenate([getattr(counts, name) for counts in sets.values()])
        for name in CLASS_COLUMNS + FILE_COLUMNS
    }
    return Counts(tuple(f"{name}/{file}" for name, counts in sets.items() for file in counts.files), **columns)


def pool(counts: Counts, weights: Float64) -> Counts:
    """Sums over files with weights (..., files): all ones for the score of a set, zeros to leave files out.

    Arrays become (..., classes) and (...,); `files` stays.
    """
    return replace(counts, **{name: weights @ getattr(counts, name) for name in CLASS_COLUMNS + FILE_COLUMNS})


def over_classes(counts: Counts, classes: Sequence[int]) -> Counts:
    """Sums over the given classes; the class axis goes."""
    return replace(counts, **{name: getattr(counts, name)[..., classes].sum(axis=-1) for name in CLASS_COLUMNS})


def count(
    names: Sequence[str], reference: Groups, prediction: Groups, matches: Matches, rules: Rules, class_count: int
) -> Counts:
    """Count every block and class of every file."""
    blocks = _Blocks.of(reference, prediction, rules, class_count)
    tracks = _tracks(blocks, reference, prediction, matches, rules)
    shape = (len(names), class_count)
    matched = np.bincount(tracks.block, minlength=len(blocks.key))
    hits = np.bincount(tracks.block[tracks.hit], minlength=len(blocks.key))
    surplus, missing = _unmatched(blocks, matched, rules)
    errors = _block_errors(blocks, surplus + matched - hits, missing, len(names), class_count)

    def per_class(values: Float64 | Int64, block: Int64 | slice = slice(None)) -> Float64:
        return _sums(blocks.cell[block], values, shape[0] * shape[1]).reshape(shape)

    return Counts(
        files=tuple(names),
        references=per_class(blocks.wanted),
        true_positives=per_class(hits),
        spatial_false_positives=per_class(matched - hits),
        false_positives=per_class(surplus),
        misses=per_class(missing),
        angle_error_deg=per_class(tracks.angle_deg, tracks.block),
        distance_error_m=per_class(tracks.distance_error_m, tracks.block),
        relative_distance_error=per_class(tracks.relative_error, tracks.block),
        onscreen_correct=per_class(tracks.onscreen_correct, tracks.block),
        substitutions=errors[0],
        deletions=errors[1],
        insertions=errors[2],
    )


def _sums(place: Int64, values: Float64 | Int64, places: int) -> Float64:
    """Sum of the values of each place, added in their order."""
    return np.bincount(place, weights=values, minlength=places).astype(np.float64, copy=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Every (file, segment, class) in which there is a reference or a prediction, shape (blocks,).

    `key` is (file x segments + segment) x classes + class, `cell` is file x classes + class; `wanted` and `given` are
    the numbers of reference and predicted tracks, the most that sound in one frame of the segment. `of_reference`
    (reference groups,) is the block of each group.
    """

    key: Int64
    cell: Int64
    wanted: Int64
    given: Int64
    of_reference: Int64

    @classmethod
    def of(cls, reference: Groups, prediction: Groups, rules: Rules, class_count: int) -> "_Blocks":
        tables = reference, prediction
        segments = [table.frame // rules.block_frames for table in tables]
        span = 1 + max(int(segment.max(initial=0)) for segment in segments)
        keys = [(t.file * span + s) * class_count + t.class_id for t, s in zip(tables, segments, strict=True)]
        key, place = np.unique(np.concatenate(keys), return_inverse=True)
        of_reference, of_prediction = np.split(place, [len(keys[0])])
        cell = key // (span * class_count) * class_count + key % class_count
        wanted = _largest(reference.size, of_reference, len(key))
        return cls(key, cell, wanted, _largest(prediction.size, of_prediction, len(key)), of_reference)


def _largest(size: Int64, block: Int64, blocks: int) -> Int64:
    largest = np.zeros(blocks, dtype=np.int64)
    np.maximum.at(largest, block, size)
    return largest


@dataclass(frozen=True, slots=True, eq=False)
class _Tracks:
    """Matched reference tracks of a block with their mean errors, shape (tracks,)."""

    block: Int64
    angle_deg: Float64
    distance_error_m: Float64
    relative_error: Float64
    onscreen_correct: Float64
    hit: NDArray[np.bool_]


def _tracks(blocks: _Blocks, reference: Groups, prediction: Groups, matches: Matches, rules: Rules) -> _Tracks:
    """Mean over the matched frames of each track, added in the order of frames as the official programs do."""
    block = blocks.of_reference[matches.group]
    key, place = np.unique(block * (1 + matches.track.max(initial=0)) + matches.track, return_inverse=True)
    frames = np.bincount(place, minlength=len(key))
    errors = matches.angle_deg, *_place_errors(reference, prediction, matches, rules)
    angle, distance, relative, onscreen_correct = (_sums(place, error, len(key)) / frames for error in errors)
    hit = (angle <= rules.doa_threshold_deg) & ~(relative > rules.rde_threshold)
    if rules.onscreen:
        hit &= onscreen_correct == 1.0
    first = np.zeros(len(key), dtype=np.int64)
    first[place] = block
    return _Tracks(first, angle, distance, relative, onscreen_correct, hit)


def _place_errors(
    reference: Groups, prediction: Groups, matches: Matches, rules: Rules
) -> tuple[Float64, Float64, Float64]:
    """Distance error in metres, the same relative to the reference, and 1 for a right on-screen flag; (matches,)."""
    nothing = np.zeros(len(matches.group))
    wanted, given = reference.rows.distance_m, prediction.rows.distance_m
    if not rules.distance or wanted is None or given is None:
        return nothing, nothing, nothing
    scale = 100 if rules.stereo else 1
    if rules.stereo:
        wanted, given = _centimetres(wanted), _centimetres(given)
    error = np.abs(wanted[matches.reference] - given[matches.prediction])
    relative = error / (wanted[matches.reference] + EPSILON)
    flags = reference.rows.onscreen, prediction.rows.onscreen
    if flags[0] is None or flags[1] is None:
        return error / scale, relative, nothing
    return error / scale, relative, (flags[0][matches.reference] == flags[1][matches.prediction]).astype(np.float64)


def _centimetres(distance_m: Float64) -> Float64:
    """The centimetres of a 2025 file bit by bit: ten decimals undo the division by 100, thresholds stay exact."""
    return np.round(distance_m * 100, 10)


def _unmatched(blocks: _Blocks, matched: Int64, rules: Rules) -> tuple[Int64, Int64]:
    """Surplus predicted tracks and missed reference tracks of each block."""
    if rules.corrected:
        return np.maximum(blocks.given - matched, 0), blocks.wanted - matched
    surplus, missing = np.maximum(blocks.given - blocks.wanted, 0), np.maximum(blocks.wanted - blocks.given, 0)
    apart = (blocks.wanted > 0) & (blocks.given > 0) & (matched == 0)
    return np.where(apart, 0, surplus), np.where(apart, blocks.given, missing)


def _block_errors(blocks: _Blocks, false: Int64, missing: Int64, files: int, class_count: int) -> list[Float64]:
    """Substitutions, deletions and insertions of each file: (files,), from sums over the classes of each segment."""
    segment, place = np.unique(blocks.key // class_count, return_inverse=True)
    wrong, missed = _sums(place, false, len(segment)), _sums(place, missing, len(segment))
    file = np.zeros(len(segment), dtype=np.int64)
    file[place] = blocks.cell // class_count
    errors = np.minimum(wrong, missed), np.maximum(missed - wrong, 0), np.maximum(wrong - missed, 0)
    return [_sums(file, error, files) for error in errors]
