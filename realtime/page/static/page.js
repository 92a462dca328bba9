// The live page: shows what /events tells, and posts what the controls ask for.

const $ = (id) => document.getElementById(id);
const CAMERA_WIDTH = 640;
const CAMERA_QUALITY = 0.8;
let state = {};
let camera = null; // {socket, stream} while this device's camera is shown

// ---- asking ----

async function ask(method, path, body, type = "application/json") {
  const sent = body === undefined ? undefined : type === "application/json" ? JSON.stringify(body) : body;
  try {
    const answer = await fetch(path, { method, body: sent, headers: sent ? { "Content-Type": type } : {} });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error || told.detail || answer.statusText);
    tell("");
    show(told);
    return true;
  } catch (error) {
    tell(error.message);
    return false;
  }
}

function tell(problem) {
  $("error").textContent = problem;
  $("error").hidden = !problem;
}

// ---- showing ----

function show(told) {
  state = told;
  const doing = told.error ? "ended" : told.paused ? "paused" : told.running ? "live" : "ended";
  $("status").textContent = `${told.source || "no source yet"} (${doing})`;
  if (told.error) tell(told.error);
  $("fps").textContent = told.fps.toFixed(0);
  $("latency").textContent = told.latency_ms.toFixed(0);
  $("dropped").textContent = told.dropped;
  $("pause").textContent = told.paused ? "Go on" : "Pause";
  $("pause").setAttribute("aria-pressed", told.paused);
  const held = document.activeElement;
  for (const name of ["model", "locate", "threshold"]) {
    if (held !== $(name)) $(name).value = told[name];
  }
  $("threshold-shown").textContent = `${Math.round(100 * $("threshold").value)} %`;
  fill("garments", told.garments, garmentRow, "nothing");
  fill("counts", Object.entries(told.counts), ([label, count]) => element("li", `${count} × ${label}`), "nothing yet");
  $("timeline").replaceChildren(...told.timeline.slice(-12).map(stayRow));
  curve("fps", told.curves.fps);
  curve("latency", told.curves.latency_ms);
}

function fill(id, items, row, none) {
  const rows = items.map(row);
  if (!rows.length) {
    rows.push(element("li", none));
    rows[0].className = "none";
  }
  $(id).replaceChildren(...rows);
}

function garmentRow(garment) {
  const row = element("li");
  const swatch = element("span");
  swatch.className = "swatch";
  swatch.style.background = garment.shade;
  const more = Object.values(garment.attributes).join(", ");
  const name = element("span", `${garment.colour} ${garment.label}${more ? `, ${more}` : ""}`.trim());
  const share = element("span", `${Math.round(100 * garment.probability)} %`);
  share.className = "share";
  const vote = element("meter");
  vote.value = garment.probability;
  row.append(swatch, name, share, vote);
  return row;
}

function stayRow(stay) {
  const row = element("div");
  row.className = "row";
  const bar = drawing("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" });
  const end = Math.max(state.time, 1e-3);
  const width = Math.max(100 * (stay.to - stay.from) / end, 0.7);
  bar.append(drawing("rect", { x: 100 * stay.from / end, y: 0, height: 10, width }));
  row.append(element("span", `${stay.colour} ${stay.label}`.trim()), bar);
  row.title = `${stay.from} to ${stay.to} s`;
  return row;
}

function curve(name, values) {
  const most = Math.max(...values, 1);
  const points = values.map((value, i) => `${i + 120 - values.length},${38 - 36 * value / most}`).join(" ");
  $(`curve-${name}`).replaceChildren(drawing("polyline", { points }));
  $(`most-${name}`).textContent = `0 to ${most.toFixed(0)}`;
}

function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function drawing(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// ---- this device's camera ----

async function startCamera() {
  stopCamera();
  if (!navigator.mediaDevices) {
    return tell("this browser gives its camera to https pages and to localhost only");
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: CAMERA_WIDTH } } });
  } catch (error) {
    return tell(`no camera: ${error.message}`);
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
    if (event.reason && event.code !== 1000) tell(event.reason);
    stream.getTracks().forEach((track) => track.stop());
  };
}

function stopCamera() {
  if (camera) camera.socket.close();
  camera = null;
}

// ---- controls ----

const pause = () => ask("POST", "pause", { paused: !state.paused });
const snapshot = () => { location.href = "snapshot"; };

$("pause").onclick = pause;
$("snapshot").onclick = snapshot;
$("stop").onclick = () => { stopCamera(); ask("POST", "stop"); };
$("camera").onclick = startCamera;
$("source-form").onsubmit = (event) => {
  event.preventDefault();
  stopCamera();
  ask("POST", "source", { source: $("address").value.trim() || $("source").value });
};
$("file").onchange = async () => {
  const file = $("file").files[0];
  if (!file) return;
  stopCamera();
  $("status").textContent = `uploading ${file.name}`;
  await ask("PUT", "upload", file, file.type || "application/octet-stream");
  $("file").value = "";
};
for (const name of ["model", "locate", "threshold"]) {
  $(name).onchange = () => ask("POST", "settings", { [name]: $(name).value });
}
$("threshold").oninput = () => { $("threshold-shown").textContent = `${Math.round(100 * $("threshold").value)} %`; };
document.onkeydown = (event) => {
  if (event.target.matches("input, select, button, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " ") { event.preventDefault(); pause(); }
  if (event.key === "s") snapshot();
};

const choices = await (await fetch("choices")).json();
for (const [id, names] of [["source", choices.sources], ["model", choices.models], ["locate", choices.locators]]) {
  $(id).replaceChildren(...names.map((name) => new Option(name)));
}
const events = new EventSource("events");
events.onmessage = (event) => show(JSON.parse(event.data));
events.onerror = () => { $("status").textContent = "the app does not answer"; };
events.onopen = () => { $("picture").src = `stream?${Date.now()}`; };
