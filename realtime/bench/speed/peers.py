"""The programs that the app is compared with: each a whole process, as a user would start it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime.bench.speed.measure import ROOT, Command, measured
from realtime.sinks.destinations import KEY_FRAME_SECONDS, MP4_OPTIONS
from realtime.sinks.encoders import X264
from training.inference.weights import locate

OURS = "segment + deep"
PREDICT = "yolo predict, torch"
FAST = ("--model", "deep", "--detection-interval", "every-frame")
COPY_LOOP = f"""
import sys, av
source, target = av.open(sys.argv[1]), av.open(sys.argv[2], "w", options={MP4_OPTIONS!r})
video, sound = source.streams.video[0], source.streams.audio
stream = target.add_stream("libx264", rate=video.average_rate, options={X264!r})
stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
stream.time_base = stream.codec_context.time_base = video.time_base
stream.codec_context.gop_size = round({KEY_FRAME_SECONDS} * video.average_rate)
stream.codec_context.thread_count = 1
video.codec_context.thread_count = 1
copied = {{s.index: target.add_stream_from_template(s) for s in sound}}
for packet in source.demux(video, *sound):
    if packet.stream.type == "audio":
        if packet.dts is not None:
            packet.stream = copied[packet.stream.index]
            target.mux(packet)
        continue
    for frame in packet.decode():
        copy = av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), format="bgr24")
        copy.pts, copy.time_base = frame.pts, frame.time_base
        target.mux(stream.encode(copy))
target.mux(stream.encode(None))
target.close()
"""
OPENCV_LOOP = """
import sys, cv2
source = cv2.VideoCapture(sys.argv[1])
size = tuple(int(source.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
kind = cv2.VideoWriter_fourcc(*"mp4v")
target = cv2.VideoWriter(sys.argv[2], kind, source.get(cv2.CAP_PROP_FPS), size)
while True:
    done, image = source.read()
    if not done:
        break
    target.write(image)
target.release()
"""
# The webcam demo's method: blur, Otsu, the largest contour, one crop a frame through torch, XVID.
REFERENCE = """
import sys, cv2, torch
sys.path.insert(0, {root!r})
from pathlib import Path
from training.common.checkpoints import load_network
from training.inference.weights import locate
stem, info = locate("deep")
network = load_network(stem, info).eval()
source = cv2.VideoCapture(sys.argv[1])
size = tuple(int(source.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
out = str(Path(sys.argv[2]).with_suffix(".avi"))
target = cv2.VideoWriter(out, cv2.VideoWriter_fourcc(*"XVID"), source.get(cv2.CAP_PROP_FPS), size)
while True:
    done, image = source.read()
    if not done:
        break
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    blurred = cv2.GaussianBlur(grey, (5, 5), 0)
    _, mask = cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if contours:
        x, y, w, h = cv2.boundingRect(max(contours, key=cv2.contourArea))
        crop = 255 - cv2.resize(grey[y : y + h, x : x + w], (28, 28))
        with torch.no_grad():
            answer = network(torch.from_numpy(crop)[None, None])
        probabilities = torch.softmax(answer.float(), 1)[0]
        name = f"{{info.classes[int(probabilities.argmax())]}} {{float(probabilities.max()):.2f}}"
        cv2.rectangle(image, (x, y), (x + w, y + h), (0, 255, 0), 2)
        cv2.putText(image, name, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 255, 0), 2)
    target.write(image)
target.release()
"""
# A typical script: ultralytics for boxes, supervision for drawing and writing.
SUPERVISION = """
import sys, supervision as sv
from ultralytics import YOLO
model = YOLO({model!r})
boxes, labels = sv.BoxAnnotator(), sv.LabelAnnotator()
info = sv.VideoInfo.from_video_path(sys.argv[1])
with sv.VideoSink(sys.argv[2], info) as sink:
    for image in sv.get_video_frames_generator(sys.argv[1]):
        answer = model(image, imgsz={size}, conf={confidence}, verbose=False)[0]
        found = sv.Detections.from_ultralytics(answer)
        sink.write_frame(labels.annotate(boxes.annotate(image, found), found))
"""


@dataclass(frozen=True)
class Peer:
    """A program to time: `command(clip, out)` is run as a whole process."""

    name: str
    command: Command


def app(*flags: str) -> Command:
    """The app with flags."""
    script = str(ROOT / "run_realtime.py")
    return lambda clip, out: [sys.executable, script, "--video", str(clip), "-o", str(out), *flags]


def python_script(text: str) -> Command:
    """A Python program that takes the clip and the output as its arguments."""
    return lambda clip, out: [sys.executable, "-c", text, str(clip), str(out)]


def loops(folder: Path) -> tuple[Peer, ...]:
    """The app, a loop that only copies, and the webcam demo's pipeline."""
    return (
        Peer(OURS, app(*FAST)),
        Peer("OpenCV copy loop, mp4v", python_script(OPENCV_LOOP)),
        Peer("the reference's pipeline, XVID", python_script(REFERENCE.format(root=str(ROOT)))),
        Peer(f"{OURS}, again", app(*FAST)),
    )


def copies(folder: Path) -> tuple[Peer, ...]:
    """Copying with sound: the app without an analysis, and a PyAV loop on one thread."""
    none = app("--locate", "none", "--model", "deep")
    return (
        Peer("no analysis", none),
        Peer("PyAV copy loop, one thread", python_script(COPY_LOOP)),
        Peer("no analysis, again", none),
    )


def yolo(folder: Path) -> tuple[Peer, ...]:
    """The app with a detector, ultralytics' own command and a script, on the same weights."""
    from training.detection.yolo import write_checkpoint

    stem, info = locate("yolo")
    checkpoint, size = folder / "yolo.pt", f"imgsz={info.size}"
    write_checkpoint(checkpoint, stem, info)
    command = str(Path(sys.executable).with_name("yolo"))
    measured([command, "export", f"model={checkpoint}", "format=openvino", size])

    def predict(model: Path) -> Command:
        return lambda clip, out: [
            command, "predict", f"model={model}", f"source={clip}", size, "save=True",
            f"conf={info.confidence}", "device=cpu", f"project={out.parent}", "name=yolo",
            "exist_ok=True",
        ]  # fmt: skip

    ours = app("--locate", "yolo", "--detection-interval", "every-frame")
    script = SUPERVISION.format(model=str(checkpoint), size=info.size, confidence=info.confidence)
    return (
        Peer("yolo", ours),
        Peer(PREDICT, predict(checkpoint)),
        Peer("yolo predict, its OpenVINO export", predict(folder / "yolo_openvino_model")),
        Peer("supervision script, torch", python_script(script)),
        Peer("yolo, again", ours),
    )


PEERS: dict[str, Callable[[Path], tuple[Peer, ...]]] = {
    "loops": loops, "copies": copies, "yolo": yolo,
}  # fmt: skip
