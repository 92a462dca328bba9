"""Names what is in pictures: `python -m training.predict --model WEIGHTS --input DIR -o out.csv`.

Rows come in the order of the input; those of a model of attributes have the form of the tables that
it learnt from, those of a DeepFashion model rankings.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import imutils
import numpy as np

from preprocessing.command import exit_status
from preprocessing.datasets.attribute_table import MISSING_CODE, codes_of
from preprocessing.errors import DataError, SinkError, UsageError
from preprocessing.images.contact_sheet import contact_sheet, write_image
from preprocessing.images.network_input import CUTS
from preprocessing.images.read_media import read_inputs
from preprocessing.images.regions import whole_image
from training.inference import weights
from training.inference.attributes import split_outputs
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import WeightsInfo

Pictures = Iterable[tuple[str, np.ndarray]]
BATCH = 16
SHOWN, SHOWN_SIDE = 48, 240  # pictures on the labelled sheet, and their side in pixels
LINE = 15  # pixels of a line of text


class AttributePredictor:
    """A published model of attributes; call it with pictures."""

    def __init__(self, stem: Path, info: WeightsInfo):
        self.info = info
        self._network, self._cut = OpenVinoNetwork(stem), CUTS[info.cut]

    def __call__(self, images: list[np.ndarray]) -> np.ndarray:
        """The likeliest class of each attribute, int (N, attributes), of BGR pictures (H, W, 3)."""
        crops = [self._cut(image, whole_image(image), self.info.size) for image in images]
        logits = self._network(np.stack(crops))
        return np.stack(
            [answers.argmax(axis=1) for answers in split_outputs(logits, self.info.attributes)], 1
        )


def batches(items: Iterable, size: int) -> Iterator[list]:
    """Lists of `size` items, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def labelled(image: np.ndarray, lines: list[str]) -> np.ndarray:
    """A picture in a square tile, with its labels below."""
    tile = np.full((SHOWN_SIDE + LINE * len(lines) + 4, SHOWN_SIDE, 3), 32, np.uint8)
    longer = "width" if image.shape[1] >= image.shape[0] else "height"
    small = imutils.resize(image, **{longer: SHOWN_SIDE})
    left = (SHOWN_SIDE - small.shape[1]) // 2
    tile[: small.shape[0], left : left + small.shape[1]] = small[:, :SHOWN_SIDE]
    for number, line in enumerate(lines, start=1):
        cv2.putText(tile, line, (4, SHOWN_SIDE + LINE * number - 2), cv2.FONT_HERSHEY_SIMPLEX, 0.4,
                    (255, 255, 255), 1, cv2.LINE_AA)  # fmt: skip
    return tile


def predict(
    predictor: AttributePredictor, pictures: Pictures, out: Path
) -> tuple[int, list[np.ndarray]]:
    """Write a row a picture; their count, and labelled tiles of the first ones.

    Raises:
        SinkError: the file cannot be written.
    """
    attributes, count, tiles = predictor.info.attributes, 0, []
    try:
        with out.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["filename", *(attribute.name for attribute in attributes)])
            for batch in batches(pictures, BATCH):
                answers = predictor([image for _, image in batch])
                for (name, image), row in zip(batch, answers, strict=True):
                    writer.writerow([name, *codes_of(attributes, row)])
                    if len(tiles) < SHOWN:
                        titles = [a.titles[k] for a, k in zip(attributes, row, strict=True)]
                        tiles.append(labelled(image, [
                            f"{a.name}: {t if t != MISSING_CODE else 'unknown'}"
                            for a, t in zip(attributes, titles, strict=True)
                        ]))  # fmt: skip
                count += len(batch)
    except OSError as error:
        raise SinkError(f"cannot write {out}: {error.strerror}") from error
    return count, tiles


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.predict",
        description="Write what a model of attributes or of DeepFashion says of pictures, a row "
        "each.",
    )
    add = parser.add_argument
    add("--model", required=True, help="weight file of a model of attributes, or its name")
    add("--input", type=Path, required=True, metavar="IMAGE|DIR|VIDEO", help="what to look at")
    add("-o", "--out", type=Path, default=Path("out.csv"), help="rows (default out.csv)")
    add("--out-image", type=Path, metavar="FILE", help="the first pictures with their "
        "labels; of a DeepFashion model a folder, for a figure each")  # fmt: skip
    add("--softmax-temp", type=float, default=1.0, metavar="T", help="DeepFashion models: divisor "
        "of the logits; above 1 for less sure probabilities (default 1)")  # fmt: skip
    add("--top-k", type=int, default=3, metavar="K", help="DeepFashion models: names a ranking "
        "(default 3)")  # fmt: skip
    add("--step", type=int, default=1, metavar="N", help="of a video, every Nth frame (default 1)")
    args = parser.parse_args(argv)
    return exit_status(lambda: _run(args))


def _run(args: argparse.Namespace) -> int:
    if args.step < 1 or args.top_k < 1 or args.softmax_temp <= 0:
        raise UsageError("--step and --top-k must be at least 1, --softmax-temp above 0")
    if not args.input.exists():
        raise DataError(f"no file or folder {args.input}")
    stem, info = weights.locate(args.model)
    if info.task != "deepfashion":
        stem, info = weights.locate_for("attributes", args.model)
    weights.verified(stem.with_suffix(".onnx"))
    bad: list[str] = []
    pictures = read_inputs(args.input, step=args.step, bad=bad)
    chosen = _predict_fashion if info.task == "deepfashion" else _predict_attributes
    count = chosen(stem, info, pictures, args)
    for line in bad:
        print(line, file=sys.stderr)
    print(f"wrote {count} rows to {args.out}; {len(bad)} pictures could not be read")
    return 0


def _predict_attributes(
    stem: Path, info: WeightsInfo, pictures: Pictures, args: argparse.Namespace
) -> int:
    count, tiles = predict(AttributePredictor(stem, info), pictures, args.out)
    if args.out_image and tiles:
        write_image(args.out_image, contact_sheet(tiles, columns=min(8, len(tiles))))
    return count


def _predict_fashion(
    stem: Path, info: WeightsInfo, pictures: Pictures, args: argparse.Namespace
) -> int:
    from training.deepfashion.predict import FashionPredictor
    from training.deepfashion.predict import predict as predict_fashion

    predictor = FashionPredictor(stem, info, temperature=args.softmax_temp, top=args.top_k)
    return predict_fashion(predictor, pictures, args.out, figures=args.out_image)


if __name__ == "__main__":
    sys.exit(main())
