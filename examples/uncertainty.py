"""How sure the model is: `python examples/uncertainty.py MODEL AUDIO [PICTURE.png]`."""

import sys
from pathlib import Path

import edgeseld
from edgeseld.signal.audio import read_audio

model = edgeseld.load(sys.argv[1])
audio = read_audio(sys.argv[2], model.interface.signal.channel_format)

# The same seed gives the same masks on every machine and in every language.
prediction = model.predict(audio, mc_samples=10, seed=0)
events = sorted(prediction.events(), key=lambda event: event.uncertainty.entropy)
for event in events:
    sure = event.uncertainty
    print(
        f"{event.class_name:20} at {event.onset_s:5.1f} s  score {event.score:.2f} ± {sure.activity_std:.2f}  "
        f"entropy {sure.entropy:.2f}  direction ± {sure.direction_spread_deg or 0.0:.0f}°"
    )
print(f"keep the surer half: {len(events) // 2} of {len(events)} events")

if len(sys.argv) > 3:
    from edgeseld.runtime.plots import plot_prediction

    plot_prediction(prediction, Path(sys.argv[3]))
