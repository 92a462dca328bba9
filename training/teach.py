"""Teaches a garment by pictures: `python -m training.teach --images DIR --name NAME -o FILE`.

At once, without training: see `training.inference.wardrobe`.
"""

import sys

from training.classification.teaching import TeachSettings, teach
from training.tasks import run_plain

EXAMPLES = """\
examples:
  python -m training.teach --images jumper/ --name "blue jumper" -o wardrobe.npz
  python -m training.teach --images me1.jpg me2.jpg --layer top --name shirt -o wardrobe.npz
  python -m training.teach --list -o wardrobe.npz
  python -m training.teach --forget "blue jumper" -o wardrobe.npz
  python run_realtime.py --wardrobe wardrobe.npz"""


def main(argv: list[str] | None = None) -> int:
    return run_plain(
        "teach",
        sys.argv[1:] if argv is None else argv,
        settings=TeachSettings,
        run=teach,
        description="Teach the app a garment, or correct its name, by some pictures of it: three "
        "from\nseveral sides do. They are added to a wardrobe, which `run_realtime.py "
        "--wardrobe` takes.",
        usage="--images PATH --name NAME -o FILE",
        examples=EXAMPLES,
    )


if __name__ == "__main__":
    sys.exit(main())
