"""A trained ensemble: what several teachers say of each track, weighed by a small network that has learned from labels.

Averaging gives every teacher one voice. Here activities and directions pass through two recurrent encoders that share
parameters softly, and leave track by track (Hu et al. 2022, which Kang 2023 takes over; neither gives sizes).
"""

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgeseld.core.errors import TrainingError
from edgeseld.core.spec import ChannelFormat
from edgeseld.nn.heads import Output
from edgeseld.train.feature_store import Progress
from edgeseld.train.losses import EDGE, adpit_loss
from edgeseld.train.teachers import align_tracks, averaged
from edgeseld.train.turning import common_swaps, swap_matrices, turn_outputs, turn_target

# What each teacher said of the windows of a batch, and their ADPIT targets.
Lesson = tuple[Sequence[Mapping[str, Tensor]], Tensor]
WIDTH = 64
LAYERS = 2
STEPS = 500
LEARNING_RATE = 2e-3
SHORTEST = 1e-6


class SoftSharing(nn.Module):
    """Two streams that each take over a learned share of the other's channels, none at first (cross-stitch units)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shares = nn.Parameter(torch.zeros(2, width))

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, width) each, to the same shapes."""
        return first + self.shares[0] * second, second + self.shares[1] * first


class TrackEnsemble(nn.Module):
    """Multi-ACCDOA of several teachers (batch, frames, tracks, axes, classes) to one; untrained it says their mean."""

    def __init__(self, teachers: int, tracks: int, classes: int) -> None:
        super().__init__()
        self.tracks, self.classes = tracks, classes
        values = tracks * classes
        self.read_activity = nn.Linear(teachers * values, WIDTH)
        self.read_direction = nn.Linear(teachers * 3 * values, WIDTH)
        self.activity_layers, self.direction_layers = (
            nn.ModuleList(nn.GRU(WIDTH, WIDTH // 2, batch_first=True, bidirectional=True) for _ in range(LAYERS))
            for _ in range(2)
        )
        self.sharing = nn.ModuleList(SoftSharing(WIDTH) for _ in range(LAYERS))
        self.say_activity = nn.Linear(WIDTH, values)
        self.say_direction = nn.Linear(WIDTH, 3 * values)
        for layer in (self.say_activity, self.say_direction):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, outputs: Sequence[Mapping[str, Tensor]]) -> Output:
        """Outputs of the teachers, in the order of training, to {"accdoa": ...}; distances are their mean."""
        mean = averaged([{"accdoa": output["accdoa"]} for output in outputs])["accdoa"].float()
        aligned = torch.stack([align_tracks(output["accdoa"].float(), mean) for output in outputs], dim=2)
        vectors = aligned[:, :, :, :, :3]
        activity = F.relu(self.read_activity(vectors.norm(dim=4).flatten(2)))
        direction = F.relu(self.read_direction(vectors.flatten(2)))
        for ours, theirs, share in zip(self.activity_layers, self.direction_layers, self.sharing, strict=True):
            activity, direction = share(activity + ours(activity)[0], direction + theirs(direction)[0])
        shape = (*mean.shape[:3], 3, self.classes)
        length = mean[:, :, :, :3].norm(dim=3)
        said = length.clamp(EDGE, 1.0 - EDGE).logit() + self.say_activity(activity).reshape(length.shape)
        pointed = mean[:, :, :, :3] + self.say_direction(direction).reshape(shape)
        unit = pointed / pointed.norm(dim=3, keepdim=True).clamp(min=SHORTEST)
        return {"accdoa": torch.cat([torch.sigmoid(said).unsqueeze(3) * unit, mean[:, :, :, 3:]], dim=3)}


def train_ensemble(
    lesson: Callable[[int], Lesson], channel_format: ChannelFormat, seed: int, progress: Progress
) -> TrackEnsemble:
    """The network that weighs teachers, trained on what they said of labelled windows, both turned at random.

    `lesson` gives the batch of a step. The same lessons and seed give the same network: a run that resumes makes it
    again. TrainingError for fewer than two teachers, or where not all of them give tracks of one shape.
    """
    torch.manual_seed(seed)
    network = _for_teachers(lesson(0)[0])
    swaps = common_swaps([channel_format])
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for step in progress(range(STEPS), STEPS, "ensemble of the teachers"):
        said, target = lesson(step)
        matrices = swap_matrices(swaps, torch.randint(len(swaps), (target.shape[0],)))
        turned = [turn_outputs({"accdoa": output["accdoa"]}, matrices) for output in said]
        loss = adpit_loss(network(turned)["accdoa"], turn_target(target, matrices)).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return network.eval()


def _for_teachers(said: Sequence[Mapping[str, Tensor]]) -> TrackEnsemble:
    shapes = {tuple(output["accdoa"].shape[2:]) if "accdoa" in output else () for output in said}
    if len(said) < 2 or len(shapes) > 1 or () in shapes:
        raise TrainingError(
            "distill.ensemble = 'trained' weighs multi-ACCDOA outputs of one shape of two teachers or more, got "
            f"{len(said)} with shapes {sorted(shapes)}: name other teachers, or leave it at 'mean'"
        )
    tracks, _, classes = shapes.pop()
    return TrackEnsemble(len(said), tracks, classes)
