"""Ensembles: what several teachers say at once."""

import msgspec
import numpy as np
import pytest
import torch

from edgeseld.core.errors import TrainingError
from edgeseld.core.recipe import AugmentSpec, ModelFile, OverlaySpec
from edgeseld.core.spec import HeadSpec, SignalSpec
from edgeseld.signal.stereo import stereo_azimuth_deg
from edgeseld.train.teachers import align_tracks, averaged, outputs_for, require_teachable
from tests.train.conftest import RECIPE
from tests.train.teaching import why_refused

TRACKS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]]).reshape(1, 1, 3, 3, 1)


def changed(**fields: object) -> object:
    return msgspec.structs.replace(RECIPE, **fields)


def test_tracks_are_aligned_before_they_are_averaged() -> None:
    order = [2, 0, 1]
    mean = averaged([{"accdoa": TRACKS}, {"accdoa": 0.5 * TRACKS[:, :, order]}])["accdoa"]
    torch.testing.assert_close(mean, 0.75 * TRACKS)


def test_each_frame_and_class_is_aligned_alone() -> None:
    torch.manual_seed(0)
    reference = torch.randn(2, 5, 3, 4, 6)
    shuffled = reference.clone()
    shuffled[1, 2, :, :, 3] = reference[1, 2, [1, 2, 0], :, 3]
    shuffled[0, 4, :, :, 0] = reference[0, 4, [2, 1, 0], :, 0]
    assert torch.equal(align_tracks(shuffled, reference), reference)


def test_directions_weigh_as_much_as_their_activity() -> None:
    x, y = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 1, 3, 1), torch.tensor([0.0, 1.0, 0.0]).reshape(1, 1, 3, 1)
    one = {"activity": torch.full((1, 1, 1), 0.9), "vectors": x, "distance": torch.full((1, 1, 1), 1.0)}
    two = {"activity": torch.full((1, 1, 1), 0.3), "vectors": y, "distance": torch.full((1, 1, 1), 5.0)}
    mean = averaged([one, two])
    assert mean["activity"].item() == pytest.approx(0.6)
    assert mean["vectors"].flatten().tolist() == pytest.approx([0.75, 0.25, 0.0])
    assert mean["distance"].item() == pytest.approx(2.0)


def test_one_teacher_is_itself_and_equals_agree() -> None:
    assert averaged([{"accdoa": TRACKS}])["accdoa"] is TRACKS
    torch.testing.assert_close(averaged([{"accdoa": TRACKS}] * 3)["accdoa"], TRACKS)


def test_only_what_all_give_is_averaged() -> None:
    activity = torch.full((1, 1, 1), 0.5)
    assert set(averaged([{"accdoa": TRACKS, "activity": activity}, {"activity": activity}])) == {"activity"}
    with pytest.raises(TrainingError, match="one format and shape, got none in common"):
        averaged([{"accdoa": TRACKS}, {"activity": activity}])


@pytest.mark.parametrize(
    ("fields", "live", "message"),
    [
        ({"classes": ("bell",)}, False, r"tiny has 1 \(bell, ...\), the data 13"),
        ({"signal": msgspec.structs.replace(RECIPE.signal, window_frames=5)}, True, "has 5 frames, tiny 10"),
        ({"head": HeadSpec(format="sed")}, False, "gives activity, which cannot teach a head of format multi-accdoa"),
        ({"signal": SignalSpec(channel_format="stereo", spatial="band-phase")}, False, "no front from behind"),
    ],
    ids=["classes", "windows", "formats", "stereo"],
)
def test_a_teacher_that_cannot_teach_is_refused(fields: dict[str, object], live: bool, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        require_teachable(RECIPE, changed(**fields), live=live)  # type: ignore[arg-type]


def test_branches_and_tracks_teach_each_other() -> None:
    branches = changed(head=HeadSpec(format="sed-doa"))
    for student, teacher in [(RECIPE, branches), (branches, RECIPE), (changed(head=HeadSpec(format="sed")), RECIPE)]:
        assert why_refused(student, teacher, live=True) is None  # type: ignore[arg-type]


def test_a_cached_teacher_may_have_shorter_windows() -> None:
    short = changed(signal=msgspec.structs.replace(RECIPE.signal, window_frames=5))
    assert why_refused(RECIPE, short, live=False) is None  # type: ignore[arg-type]


def overlaying(**signal: str) -> ModelFile:
    augment = AugmentSpec(overlay=OverlaySpec(share=0.5))
    train = msgspec.structs.replace(RECIPE.train, augment=augment)
    return msgspec.structs.replace(RECIPE, train=train, signal=msgspec.structs.replace(RECIPE.signal, **signal))


def test_scenes_are_laid_over_one_another_only_where_the_teacher_hears_the_sum() -> None:
    assert why_refused(overlaying(), RECIPE, live=True) is None
    assert "distill.teacher = 'live'" in (why_refused(overlaying(), RECIPE, live=False) or "")
    per_bin = changed(signal=msgspec.structs.replace(RECIPE.signal, spatial="intensity"))
    assert "tiny are normalised per bin" in (why_refused(overlaying(), per_bin, live=True) or "")  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError, match="overlay adds what sounds in mel bands"):
        msgspec.convert(msgspec.to_builtins(overlaying()) | {"signal": {"spatial": "intensity"}}, ModelFile)


STEREO = SignalSpec(channel_format="stereo", spatial="band-phase")


def test_a_stereo_student_learns_what_is_behind_or_above_as_in_front() -> None:
    azimuth_deg, length = np.array([0.0, 30.0, 100.0, -170.0, 180.0]), 0.6
    around, elevation = np.deg2rad(azimuth_deg), np.deg2rad(40.0)
    unit = np.stack([np.cos(around), np.sin(around), np.full(5, np.tan(elevation))]) * np.cos(elevation)
    said = {"accdoa": torch.from_numpy(length * unit).float().reshape(1, 1, 1, 3, 5)}
    folded = outputs_for(STEREO, RECIPE.signal, said)["accdoa"].reshape(3, 5)
    torch.testing.assert_close(folded.norm(dim=0), torch.full((5,), length))
    found_deg = torch.rad2deg(torch.atan2(folded[1], folded[0])).numpy()
    np.testing.assert_allclose(found_deg, stereo_azimuth_deg(azimuth_deg), atol=1e-4)
    assert folded[2].abs().max() == 0.0


def test_directions_stay_where_both_hear_them_alike() -> None:
    said = {"accdoa": TRACKS, "activity": torch.full((1, 1, 1), 0.5)}
    for student, teacher in [(RECIPE.signal, RECIPE.signal), (STEREO, STEREO)]:
        assert torch.equal(outputs_for(student, teacher, said)["accdoa"], TRACKS)
    silence = outputs_for(STEREO, RECIPE.signal, {"vectors": torch.zeros(1, 1, 3, 1)})["vectors"]
    assert torch.equal(silence, torch.zeros(1, 1, 3, 1))


def test_any_teacher_of_directions_teaches_a_stereo_student() -> None:
    assert why_refused(changed(signal=STEREO), RECIPE, live=False) is None  # type: ignore[arg-type]
