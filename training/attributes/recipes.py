"""Named recipes of models of attributes: ATTRIBUTE_MODELS, as RECIPES are those of classifiers."""

from dataclasses import dataclass, replace

from training.classification.recipes import RECIPES, Recipe


@dataclass(frozen=True)
class AttributeRecipe(Recipe):
    """A classifier's recipe, whose outputs are those of all attributes, one after the other."""

    missing: str = "mask"  # a row of IMPUTATIONS: what to learn where the table knows nothing
    train_split: float = 0.8  # share of the products to learn from; the others validate


def _from_photo() -> AttributeRecipe:
    fields = vars(replace(RECIPES["photo"], label_smoothing=0.0, crop=0.7))
    return AttributeRecipe(**fields | {
        "epochs": 20, "schedule": "plateau", "patience": 8, "batch_size": 24, "augment": "photo",
        "hung": 0.0,
    })  # fmt: skip


ATTRIBUTE_MODELS = {"attributes": _from_photo()}
