"""Sound as it comes: `python examples/live.py MODEL AUDIO`. A microphone gives the same blocks: see the last lines."""

import sys
from pathlib import Path

import edgeseld
from edgeseld.runtime.streaming.sources import file_blocks

model = edgeseld.load(sys.argv[1])
stream = model.stream()  # a causal model hears frame by frame, any other slides its window on

for block in file_blocks(Path(sys.argv[2]), model.interface.signal.channel_format):
    update = stream.feed(block)  # blocks may have any length
    for event in update.opened:
        print(f"{event.onset_s:6.1f} s: {event.class_name} begins")
    for event in update.closed:
        print(f"{event.offset_s:6.1f} s: {event.class_name} ends, score {event.score:.2f}")
for event in stream.finish().closed:
    print(f"{event.offset_s:6.1f} s: {event.class_name} ends, score {event.score:.2f}")

# from edgeseld.runtime.streaming.microphone import Microphone
# with Microphone(model.interface.signal.channels, device="Zylia") as microphone:
#     for block in microphone.blocks():
#         update = stream.feed(block)
