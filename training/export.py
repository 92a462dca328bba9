"""Publishes a run's best network: `python -m training.export runs/deep`.

Writes weights/NAME.safetensors and weights/NAME.onnx, both with the metadata inside, holds the
answers of the two against each other, and enters them in the manifest.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from preprocessing.command import exit_status
from preprocessing.errors import UsageError, WeightsError
from training.classification import data
from training.classification.module import predict, readable
from training.common import data_parts
from training.common.checkpoints import load_network, load_run, save_network
from training.common.data_parts import Part
from training.common.metrics import fit_temperature, score
from training.inference import weights
from training.inference.openvino_network import OpenVinoNetwork
from training.inference.weights import METADATA_KEY, WeightsInfo
from training.models.normalise import Normalise
from training.tasks import MODULES, task_of

CHECK_IMAGES = 256
MAX_DIFFERENCE = 0.02  # between the two files' logits, both computed in single precision
MAX_SHARE = 0.002  # of the largest logit, that it may be more: rounding grows with the numbers


def export(
    run: Path, folder: Path, *, precision: str = "half", data_dir: str | None = None
) -> WeightsInfo:
    """Publish the best network of a run folder into `folder`.

    Args:
        precision: "half" or "single", of the stored numbers.

    Raises:
        UsageError: no such run, or it has not been judged on the test set.
        WeightsError: the two files give different answers.
    """
    network, recipe, config = load_run(run)
    half = precision == "half"
    if half:  # rounded first, so that the temperature and both files belong to the same numbers
        network = network.half().float()
    parts = data.run_parts(run, recipe, data_dir=data_dir)
    figures = _figures(run)
    metrics = {"parameters": sum(p.numel() for p in network.parameters())}
    metrics[figures.get("measured_on", "test")] = figures
    temperature = figures["temperature"]
    if parts.validation is not None:
        logits, labels = readable(*predict(network, parts.validation.loader()))
        temperature = fit_temperature(logits, labels)
        metrics["validation"] = score(logits, labels, temperature=temperature).summary()
    normalise = next(m for m in network.modules() if isinstance(m, Normalise))
    info = WeightsInfo(
        name=config["model"],
        network=recipe.network,
        classes=tuple(config["classes"]),
        cut=data_parts.CUT[recipe.channels],
        size=recipe.size,
        channels=recipe.channels,
        mean=normalise.mean,
        std=normalise.std,
        temperature=round(temperature, 5),
        head=recipe.head,
        metrics=metrics,
        command=config["command"],
        commit=config["commit"],
    )
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / info.name
    save_network(stem, network, info, half=half)
    write_onnx(stem.with_suffix(".onnx"), network, info, half=half)
    check(stem, info, first_images(parts.validation or parts.training, count=CHECK_IMAGES))
    weights.write_manifest(info, folder)
    return info


def first_images(part: Part, *, count: int) -> torch.Tensor:
    """The first images of a part, uint8 (n, C, S, S)."""
    batches, found = [], 0
    for images, _ in part.loader():
        batches.append(images)
        found += len(images)
        if found >= count:
            break
    return torch.cat(batches)[:count]


def _figures(run: Path) -> dict:
    """The figures that training.fit measured at its end, on the test part where there is one."""
    try:
        return json.loads((run / "report.json").read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{run} has no report.json: let training.fit finish") from error


def write_onnx(path: Path, network: nn.Module, info: WeightsInfo, *, half: bool) -> None:
    """Write the network with inputs uint8 (N, C, size, size) and outputs float32 (N, classes)."""
    example = torch.zeros(2, info.channels, info.size, info.size, dtype=torch.uint8)
    dynamic = {0: torch.export.Dim("batch", min=1)}
    write_program(path, network, example, half=half, dynamic=dynamic, output="logits")
    describe_onnx(path, info)


def write_program(
    path: Path,
    network: nn.Module,
    example: torch.Tensor,
    *,
    half: bool,
    dynamic: dict[int, object],
    output: str,
) -> None:
    """Write a network of one input, "images", and one output.

    Args:
        dynamic: the input's axes that may have other lengths than the example's.
    """
    program = torch.onnx.export(
        network.eval(),
        (example,),
        input_names=["images"],
        output_names=[output],
        dynamic_shapes=(dynamic,),
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    for node in model.graph.node:
        del node.metadata_props[:]  # stack traces, with the paths of this machine
    if half:
        halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def describe_onnx(path: Path, info: WeightsInfo) -> None:
    """Add our metadata to an .onnx file."""
    model = onnx.load(path)
    entry = model.metadata_props.add()
    entry.key, entry.value = METADATA_KEY, info.to_json()
    onnx.save(model, path)


def halve(model: onnx.ModelProto) -> None:
    """Store large tensors in half precision, each behind a cast that engines fold away."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 64:
            name, half = tensor.name, f"{tensor.name}_half"
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def check(stem: Path, info: WeightsInfo, images: torch.Tensor) -> None:
    """Hold both files' answers on uint8 images (N, C, H, W) against each other.

    Raises:
        WeightsError: their logits differ by more than rounding.
    """
    from_onnx = OpenVinoNetwork(stem, precise=True)(images.numpy())
    with torch.inference_mode():
        from_tensors = load_network(stem, info)(images).numpy()
    difference = float(np.abs(from_onnx - from_tensors).max())
    if not difference <= MAX_DIFFERENCE + MAX_SHARE * float(np.abs(from_tensors).max()):
        raise WeightsError(f"{stem}: the two files' logits differ by {difference:.3g}")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.export", description="Publish the best network of a finished run."
    )
    parser.add_argument("run", type=Path, help="run folder that training.fit made")
    parser.add_argument(
        "--precision",
        choices=["half", "single"],
        default="half",
        help="of the stored numbers; single where half costs accuracy (default half)",
    )
    parser.add_argument("--out", type=Path, default=weights.WEIGHTS_DIR, help="default weights/")
    parser.add_argument("--data-dir", help="folder of the four Fashion-MNIST files")
    parser.add_argument("--confidence", type=float, metavar="P", help="detectors: the default "
                        "threshold, instead of the one that validation chooses")  # fmt: skip
    args = parser.parse_args(argv)

    def command() -> int:
        task = task_of(None, args.run)
        if args.confidence is not None and (task != "detect" or not 0 <= args.confidence <= 1):
            raise UsageError("--confidence is a detector's, 0 to 1")
        if task != "classify":
            export_of = importlib.import_module(MODULES[task]).export
            chosen = {} if args.confidence is None else {"confidence": args.confidence}
            info = export_of(args.run, args.out, **chosen)
            print(f"wrote {args.out / info.name}.safetensors, .onnx")
            return 0
        info = export(args.run, args.out, precision=args.precision, data_dir=args.data_dir)
        print(
            f"wrote {args.out / info.name}.safetensors and .onnx: equal answers on "
            f"{CHECK_IMAGES} images, temperature {info.temperature:.3f}"
        )
        return 0

    return exit_status(command)


if __name__ == "__main__":
    sys.exit(main())
