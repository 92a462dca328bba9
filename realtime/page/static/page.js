// The live page: shows the states of /events, and posts the values of the controls.

const $ = (id) => document.getElementById(id);
const CAMERA_WIDTH = 640;
const CAMERA_QUALITY = 0.8;
let state = {};
let camera = null; // {socket, stream} while this device's camera is the source

// ---- requests ----

async function request(method, path, body, type = "application/json") {
  const content = body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body;
  try {
    const response = await fetch(path, { method, body: content, headers: content ? { "Content-Type": type } : {} });
    const result = await response.json();
    if (!response.ok) throw new Error(result.error || result.detail || response.statusText);
    showError("");
    if (result.garments) show(result);
    return result;
  } catch (error) {
    showError(error.message);
  }
}

function showError(message) {
  $("error").textContent = message;
  $("error").hidden = !message;
}

// ---- state ----

function show(report) {
  state = report;
  $("status").textContent = `${report.source || "no source yet"} (${statusOf(report)})`;
  showRecording(report);
  if (report.error) showError(report.error);
  $("fps").textContent = report.fps.toFixed(0);
  $("latency").textContent = report.latency_ms.toFixed(0);
  $("dropped").textContent = report.dropped;
  $("pause").textContent = report.paused ? "Resume" : "Pause";
  $("pause").setAttribute("aria-pressed", report.paused);
  for (const name of ["model", "locate", "threshold"]) {
    if (document.activeElement !== $(name)) $(name).value = report[name];
  }
  $("threshold-shown").textContent = `${Math.round(100 * $("threshold").value)} %`;
  fill("garments", byPerson(report.garments), (item) => item.heading ? headingRow(item) : garmentRow(item), "none");
  fill("counts", Object.entries(report.counts), ([label, count]) => element("li", `${count} × ${label}`), "none yet");
  $("timeline").replaceChildren(...report.timeline.slice(-12).map(timelineRow));
  curve("fps", report.curves.fps);
  curve("latency", report.curves.latency_ms);
}

function statusOf(report) {
  if (report.error || !report.running) return "ended";
  if (report.paused) return "paused";
  return report.records ? "recording" : "live";
}

// What is recorded beside the source in view; only the command line ends it.
function showRecording(report) {
  const recording = report.recording;
  $("recording").hidden = !recording;
  $("stop").disabled = report.records && report.running;
  if (!recording) return;
  const frames = `${recording.written} frames`;
  $("recording").textContent = recording.error ? `recording failed: ${recording.error}`
    : recording.running ? `● recording ${recording.source}, ${frames}` : `recorded ${recording.source}, ${frames}`;
  $("recording").classList.toggle("failed", Boolean(recording.error));
}

function fill(id, items, row, none) {
  const rows = items.map(row);
  if (!rows.length) {
    rows.push(element("li", none));
    rows[0].className = "none";
  }
  $(id).replaceChildren(...rows);
}

// The garments in the order of the people who wear them, each person's behind a heading.
function byPerson(garments) {
  const people = [...new Set(garments.map((garment) => garment.person))].sort((a, b) => (a ?? Infinity) - (b ?? Infinity));
  if (!people.some(Boolean)) return garments;
  return people.flatMap((person) => [
    { heading: person ? `Person ${person}` : "Worn by nobody" },
    ...garments.filter((garment) => garment.person === person),
  ]);
}

function headingRow(item) {
  const row = element("li", item.heading);
  row.className = "person";
  return row;
}

function garmentRow(garment) {
  const row = element("li");
  row.dataset.track = garment.track;
  const swatch = element("span");
  swatch.className = "swatch";
  swatch.style.background = garment.shade;
  const more = Object.values(garment.attributes).join(", ");
  const name = element("span", `${garment.colour} ${garment.label}${more ? `, ${more}` : ""}`.trim());
  row.title = garment.path.map(([general, probability]) => `${general} ${Math.round(100 * probability)} %`).join(" › ");
  const percent = element("span", `${Math.round(100 * garment.probability)} %`);
  percent.className = "percent";
  const meter = element("meter");
  meter.value = garment.probability;
  row.append(swatch, name, percent, meter);
  return row;
}

function timelineRow(track) {
  const row = element("div");
  row.className = "row";
  const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" });
  const end = Math.max(state.time, 1e-3);
  const width = Math.max(100 * (track.to - track.from) / end, 0.7);
  bar.append(svg("rect", { x: 100 * track.from / end, y: 0, height: 10, width }));
  row.append(element("span", `${track.colour} ${track.label}`.trim()), bar);
  row.title = `${track.from} to ${track.to} s`;
  return row;
}

function curve(name, values) {
  const top = Math.max(...values, 1);
  const points = values.map((value, i) => `${i + 120 - values.length},${38 - 36 * value / top}`).join(" ");
  $(`curve-${name}`).replaceChildren(svg("polyline", { points }));
  $(`range-${name}`).textContent = `0 to ${top.toFixed(0)}`;
}

function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// ---- this device's camera ----

async function startCamera() {
  stopCamera();
  if (!navigator.mediaDevices) {
    return showError("the browser allows the camera only on localhost and on https pages");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: CAMERA_WIDTH } } });
  } catch (error) {
    return showError(`no camera: ${error.message}`);
  }
  const video = $("own-camera");
  video.srcObject = stream;
  await video.play();
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, CAMERA_WIDTH / video.videoWidth);
  canvas.width = Math.round(scale * video.videoWidth);
  canvas.height = Math.round(scale * video.videoHeight);
  const socket = new WebSocket(new URL("camera", location.href.replace(/^http/, "ws")));
  camera = { socket, stream };
  const send = () => {
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((picture) => socket.readyState === WebSocket.OPEN && socket.send(picture), "image/jpeg", CAMERA_QUALITY);
  };
  const next = () => video.requestVideoFrameCallback ? video.requestVideoFrameCallback(send) : requestAnimationFrame(send);
  socket.onopen = send;
  socket.onmessage = next;
  socket.onclose = (event) => {
    if (event.reason && event.code !== 1000) showError(event.reason);
    stream.getTracks().forEach((track) => track.stop());
  };
}

function stopCamera() {
  if (camera) camera.socket.close();
  camera = null;
}

// ---- teaching ----

// Ask for the name of a garment: of a place {x, y} in the picture, or of a {track}.
async function teach(place) {
  const garment = await request("POST", "pick", place);
  if (!garment) return;
  $("names").replaceChildren(...garment.names.map((name) => new Option(name)));
  $("picked").textContent = garment.label;
  $("name").value = "";
  $("teach").returnValue = "";
  $("teach").showModal();
  $("teach").onclose = async () => {
    const name = $("name").value.trim();
    if ($("teach").returnValue !== "teach" || !name) return;
    await request("POST", "teach", { pick: garment.pick, name });
    $("wardrobe").hidden = false;
  };
}

// The place of a click in the picture, which is fitted into its element with borders around it.
function placeOf(event) {
  const image = event.target, box = image.getBoundingClientRect();
  const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
  return {
    x: 0.5 + (event.clientX - box.x - box.width / 2) / (scale * image.naturalWidth),
    y: 0.5 + (event.clientY - box.y - box.height / 2) / (scale * image.naturalHeight),
  };
}

const mayChange = () => document.body.dataset.role === "admin";

$("picture").onclick = (event) => { if (mayChange()) teach(placeOf(event)); };
// Rows are replaced several times a second: a click would end on another element than it began on.
$("garments").onpointerdown = (event) => {
  const row = event.target.closest("[data-track]");
  if (row && mayChange()) teach({ track: Number(row.dataset.track) });
};

// ---- controls ----

const pause = () => request("POST", "pause", { paused: !state.paused });
const snapshot = () => { location.href = "snapshot"; };

$("pause").onclick = pause;
$("snapshot").onclick = snapshot;
$("stop").onclick = () => { stopCamera(); request("POST", "stop"); };
$("camera").onclick = startCamera;
$("source-form").onsubmit = (event) => {
  event.preventDefault();
  stopCamera();
  request("POST", "source", { source: $("address").value.trim() || $("source").value });
};
$("file").onchange = async () => {
  const file = $("file").files[0];
  if (!file) return;
  stopCamera();
  $("status").textContent = `uploading ${file.name}`;
  await request("PUT", "upload", file, file.type || "application/octet-stream");
  $("file").value = "";
};
for (const name of ["model", "locate", "threshold"]) {
  $(name).onchange = () => request("POST", "settings", { [name]: $(name).value });
}
$("threshold").oninput = () => { $("threshold-shown").textContent = `${Math.round(100 * $("threshold").value)} %`; };
document.onkeydown = (event) => {
  if (event.target.matches("input, select, button, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && mayChange()) { event.preventDefault(); pause(); }
  if (event.key === "s") snapshot();
};

const choices = await (await fetch("choices")).json();
document.body.dataset.role = choices.role;
for (const [id, names] of [["source", choices.sources], ["model", choices.models], ["locate", choices.locators]]) {
  $(id).replaceChildren(...names.map((name) => new Option(name)));
}
const events = new EventSource("events");
events.onmessage = (event) => show(JSON.parse(event.data));
events.onerror = () => { $("status").textContent = "the app does not answer"; };
events.onopen = () => { $("picture").src = `stream?${Date.now()}`; };
