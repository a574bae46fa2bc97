"""Training windows with what teachers said of them: cached outputs, or the features that they are to hear."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from edgeseld.nn.heads import Output
from edgeseld.train.batches import Batch, Place
from edgeseld.train.ensemble import TrackEnsemble
from edgeseld.train.feature_store import FeatureStore
from edgeseld.train.resident import (
    Resident,
    cut_features,
    cut_outputs,
    features_bytes,
    make_resident,
    resident_features,
    resident_targets,
)
from edgeseld.train.teacher_store import TaughtScenes
from edgeseld.train.teachers import averaged, outputs_for
from edgeseld.train.windows import RandomWindows

# Outputs of all teachers to what they say together.
Combine = Callable[[Sequence[Output]], Output]


class TaughtWindows(RandomWindows):
    """Windows with what each teacher said of them, or with the features that each teacher is to hear."""

    taught: Sequence[Sequence[TaughtScenes]] = ()
    heard: Sequence[Sequence[FeatureStore]] = ()
    combine: Combine | TrackEnsemble = staticmethod(averaged)
    resident_taught: Sequence[Resident] = ()
    resident_heard: Sequence[Resident] = ()

    def load(self, places: Sequence[Place]) -> Batch:
        """Features, targets and the teachers' share; `taught` and `heard` go by teacher, then by data set."""
        with torch.no_grad():
            taught = self.combine(self.said(places)) if self.taught else {}
        heard = tuple(self._heard(number, places) for number in range(len(self.heard)))
        return replace(super().load(places), taught=taught, heard=heard)

    def said(self, places: Sequence[Place]) -> list[Output]:
        """Cached outputs of each teacher by name, (batch, frames, ...)."""
        return [self._outputs(number, places) for number in range(len(self.taught))]

    def lesson(self, step: int) -> tuple[list[Output], Tensor]:
        """What each teacher said of the windows of a step, and their targets."""
        places = self.places(step)
        return self.said(places), self.target(places)

    def _outputs(self, teacher: int, places: Sequence[Place]) -> Output:
        sets = self.taught[teacher]
        if self.resident_taught:
            said = cut_outputs(self.resident_taught[teacher], sets[0].shapes, places, self.frames)
        else:
            windows = [sets[p.store].window(p.scene, p.frame, self.frames) for p in places]
            said = {name: torch.from_numpy(np.stack([window[name] for window in windows])) for name in windows[0]}
        return outputs_for(self.stores[0].index.signal, sets[0].signal, said)

    def _heard(self, teacher: int, places: Sequence[Place]) -> Tensor:
        """Features for a teacher."""
        if self.resident_heard:
            return cut_features(self.resident_heard[teacher], places, self.frames)
        sets = self.heard[teacher]
        return torch.from_numpy(np.stack([sets[p.store].window(p.scene, p.frame, self.frames) for p in places])).float()

    @property
    def resident_bytes(self) -> int:
        """What the teachers said, or are to hear, takes memory too."""
        said = sum(scene.nbytes for sets in self.taught for scenes in sets for scene in scenes.scenes)
        heard = sum(features_bytes(sets) for sets in self.heard if not self._hears_the_same(sets))
        return super().resident_bytes + said + heard

    def move_to(self, device: torch.device) -> None:
        """Copy features, targets and the teachers' share."""
        self.features = resident_features(self.stores, device)
        self.targets = resident_targets(self.stores, self.classes, device)
        self.resident_taught = [self._taught_on(sets, device) for sets in self.taught]
        if isinstance(self.combine, TrackEnsemble):
            self.combine.to(device)
        self.resident_heard = [
            self.features if self._hears_the_same(sets) else resident_features(sets, device) for sets in self.heard
        ]

    def _taught_on(self, sets: Sequence[TaughtScenes], device: torch.device) -> Resident:
        return make_resident(self.stores, lambda store, scene: sets[store].scenes[scene], device)

    def _hears_the_same(self, sets: Sequence[FeatureStore]) -> bool:
        """Whether a teacher's features are the student's."""
        return [(s.path, s.names) for s in sets] == [(s.path, s.names) for s in self.stores]
