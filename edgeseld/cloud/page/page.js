import { heard, meanDirection, radar, readable, timeline } from "./drawing.js";

const CHOICES = { device: "Device", cloud: "Cloud" };
const LONGEST_S = 60;
const find = (id) => document.getElementById(id);
let recording = null; // what is sent: a File or Blob
let asked = 0; // answers to older questions are dropped
let cursors = [];

function say(text, wrong = false) {
  find("status").textContent = text;
  find("status").classList.toggle("wrong", wrong);
}

function headers() {
  const token = find("token").value.trim();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: headers() });
  } catch {
    throw new Error("The server does not answer: is it running?");
  }
  const body = await answer.json();
  if (answer.ok) return body;
  const wait = answer.headers.get("Retry-After");
  throw new Error(answer.status === 429 ? `The server is busy: try again in ${wait} s.` : body.error);
}

async function listModels() {
  try {
    const models = await ask("v1/models");
    for (const id of Object.keys(CHOICES)) {
      const options = models.map((model) => new Option(`${model.name} (${model.channel_format})`, model.name));
      find(id).replaceChildren(...(id === "cloud" ? [new Option("none", "")] : []), ...options);
    }
    say(recording ? "Models are there." : "Waiting for a recording.");
  } catch (error) {
    say(error.message, true);
  }
}

async function hear() {
  if (!recording) return;
  const number = ++asked;
  const chosen = Object.keys(CHOICES).filter((id) => find(id).value);
  say("Listening …");
  const options = `mc_samples=${find("samples").value}&time_shifts=${find("shifts").value}`;
  try {
    const scenes = await Promise.all(chosen.map(async (id) => {
      const started = performance.now();
      const path = `v1/scene?model=${encodeURIComponent(find(id).value)}&${options}`;
      return { id, ...await ask(path, { method: "POST", body: recording }), ms: performance.now() - started };
    }));
    if (number === asked) show(scenes);
  } catch (error) {
    if (number === asked) say(error.message, true);
  }
}

function show(scenes) {
  const classes = heard(scenes);
  cursors = [];
  find("answers").replaceChildren(...scenes.map((scene) => section(scene, classes)));
  const counts = scenes.map((scene) => `${CHOICES[scene.id]} heard ${count(scene)}`);
  say(`${counts.join(", ")}.`);
}

const count = (scene) => `${scene.events.events.length} event${scene.events.events.length === 1 ? "" : "s"}`;

function section(scene, classes) {
  const part = find("answer").content.cloneNode(true).querySelector("section");
  part.querySelector("h2").textContent = `${CHOICES[scene.id]}: ${scene.events.model}`;
  part.querySelector(".summary").textContent = `${count(scene)} in ${scene.events.duration_s.toFixed(1)} s, answered in ${(scene.ms / 1000).toFixed(2)} s`;
  const drawn = timeline(scene, classes);
  cursors.push(drawn.moveTo);
  part.querySelector(".timeline").prepend(drawn.svg);
  part.querySelector(".radar").prepend(radar(scene, classes));
  part.querySelector("tbody").append(...scene.events.events.map(row));
  return part;
}

function row(event) {
  const made = document.createElement("tr"), { azimuth_deg, elevation_deg } = meanDirection(event);
  // Adding 0 turns the -0 that rounding leaves into 0.
  const figure = (value, digits) => value === null || value === undefined ? "–" : (+value.toFixed(digits) + 0).toFixed(digits);
  const cells = [
    readable(event.class_name), figure(event.onset_s, 1), figure(event.offset_s, 1), figure(azimuth_deg, 0),
    figure(elevation_deg, 0), figure(event.score, 2), figure(event.uncertainty?.activity_std, 2),
    figure(event.uncertainty?.direction_spread_deg, 0),
  ];
  for (const text of cells) made.insertCell().textContent = text;
  return made;
}

function take(file) {
  recording = file;
  URL.revokeObjectURL(find("player").src);
  find("player").src = URL.createObjectURL(file);
  find("player").hidden = false;
  hear();
}

// Sixteen-bit WAV of channels of float samples.
function wav(channels, rate) {
  const frames = channels[0].length, bytes = frames * channels.length * 2;
  const view = new DataView(new ArrayBuffer(44 + bytes));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF"); view.setUint32(4, 36 + bytes, true); text(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, channels.length, true);
  view.setUint32(24, rate, true); view.setUint32(28, rate * channels.length * 2, true);
  view.setUint16(32, channels.length * 2, true); view.setUint16(34, 16, true); text(36, "data"); view.setUint32(40, bytes, true);
  for (let frame = 0, at = 44; frame < frames; frame++) {
    for (const channel of channels) { view.setInt16(at, Math.max(-32768, Math.min(32767, Math.round(channel[frame] * 32768))), true); at += 2; }
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}

let stopRecording = null;

async function record() {
  if (stopRecording) return stopRecording();
  let stream;
  try {
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: { ideal: 4 } };
    stream = await navigator.mediaDevices.getUserMedia({ audio: raw });
  } catch (error) {
    return say(`No microphone (${error.name}): allow it in the browser, or choose a file.`, true);
  }
  const context = new AudioContext(), blocks = [];
  await context.audioWorklet.addModule("recorder.js");
  const node = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0, channelCountMode: "max" });
  node.port.onmessage = ({ data }) => blocks.push(data);
  context.createMediaStreamSource(stream).connect(node);
  find("record").textContent = "Stop";
  find("record").setAttribute("aria-pressed", "true");
  say(`Recording, at most ${LONGEST_S} s …`);
  const timer = setTimeout(() => stopRecording?.(), LONGEST_S * 1000);
  stopRecording = () => {
    stopRecording = null;
    clearTimeout(timer);
    stream.getTracks().forEach((track) => track.stop());
    context.close();
    find("record").textContent = "Record";
    find("record").setAttribute("aria-pressed", "false");
    if (!blocks.length) return say("Nothing was recorded: try again.", true);
    const channels = blocks[0].map((_, i) => Float32Array.from(blocks.flatMap((block) => [...(block[i] ?? block[0])])));
    take(wav(channels, context.sampleRate));
  };
}

find("file").addEventListener("change", ({ target }) => target.files[0] && take(target.files[0]));
find("record").addEventListener("click", record);
find("question").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["device", "cloud", "samples", "shifts"]) find(id).addEventListener("change", hear);
for (const id of ["samples", "shifts"]) find(id).addEventListener("input", () => { find(`${id}-shown`).textContent = find(id).value; });
find("token").addEventListener("change", async () => { await listModels(); hear(); });
find("player").addEventListener("timeupdate", () => cursors.forEach((moveTo) => moveTo(find("player").currentTime)));
for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => { event.preventDefault(); find("drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); find("drop").classList.remove("over"); });
document.addEventListener("drop", ({ dataTransfer }) => dataTransfer.files[0] && take(dataTransfer.files[0]));
listModels();
