"""Which sounds are in a file, when, and from where: `python examples/infer_a_file.py MODEL AUDIO`."""

import sys

import edgeseld
from edgeseld.signal.audio import read_audio

model = edgeseld.load(sys.argv[1])
audio = read_audio(sys.argv[2], model.interface.signal.channel_format)  # float32 (channels, samples) at 24 kHz

prediction = model.predict(audio)
for event in prediction.events():
    start = event.trajectory[0]
    print(
        f"{event.onset_s:6.1f} to {event.offset_s:5.1f} s  {event.class_name:20} score {event.score:.2f}  "
        f"azimuth {start.azimuth_deg:.0f}°, elevation {start.elevation_deg:.0f}°"
    )
loudest = prediction.activity.max(axis=(0, 1))
print("most active class:", prediction.classes[loudest.argmax()], f"{loudest.max():.2f}")
