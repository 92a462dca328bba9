"""Scripts of other programs: each takes a clip and the path of its output."""

from realtime.sinks.destinations import KEY_FRAME_SECONDS, MP4_OPTIONS
from realtime.sinks.encoders import X264

DECODING = """
import sys, av
source = av.open(sys.argv[1])
video = source.streams.video[0]
video.codec_context.thread_count = 1
for frame in source.decode(video):
    pass
"""
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
# Begins a loop over the images of a video, and the writing of another.
OPENCV_FILES = """
import sys, cv2
source = cv2.VideoCapture(sys.argv[1])
size = tuple(int(source.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
kind = cv2.VideoWriter_fourcc(*"mp4v")
target = cv2.VideoWriter(sys.argv[2], kind, source.get(cv2.CAP_PROP_FPS), size)
while True:
    done, image = source.read()
    if not done:
        break
"""
OPENCV_LOOP = f"""{OPENCV_FILES.rstrip()}
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
# RT-DETR with weights at random, whose boxes mean nothing: it is as fast as with trained ones.
RTDETR = f"""
import torch
from ultralytics import RTDETR
torch.manual_seed(0)
model = RTDETR("rtdetr-l.yaml")
{OPENCV_FILES.strip()}
    answer = model(image, imgsz={{size}}, device="cpu", verbose=False)[0]
    target.write(answer.plot())
target.release()
"""
