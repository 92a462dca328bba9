"""Named recipes of DeepFashion networks: FASHION_MODELS, as RECIPES are those of classifiers."""

from dataclasses import dataclass

from training.classification.recipes import RECIPES, Recipe

ATTRIBUTE_LOSSES = ("bce", "hinge")
BOX_LOSSES = ("giou", "l1")
REDUCTIONS = ("sum", "mean")


@dataclass(frozen=True)
class FashionRecipe(Recipe):
    """A classifier's recipe, with what its several losses weigh.

    Attributes:
        attribute_loss: a name of ATTRIBUTE_LOSSES; box_loss: one of BOX_LOSSES.
        reduction: of a picture's attributes, a name of REDUCTIONS.
        positive_weight: how much rare attributes' positives weigh: (negatives / positives) to this
            power, and classes of a group (mean count / count); 0 for one each.
    """

    category_weight: float = 1.0
    attribute_weight: float = 2.0
    box_weight: float = 5.0
    landmark_weight: float = 1.0
    attribute_loss: str = "bce"
    box_loss: str = "giou"
    reduction: str = "mean"
    positive_weight: float = 1.0


FASHION_MODELS = {
    "deepfashion": FashionRecipe(**vars(RECIPES["photo"]) | {
        "label_smoothing": 0.0, "epochs": 40, "batch_size": 24, "augment": "colour",
        "hung": 0.0,
    })
}  # fmt: skip
