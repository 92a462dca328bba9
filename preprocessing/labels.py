"""The taxonomy of garments: layers, classes, names, and the labels of data sets that mean them.

A layer is what detectors and the parser find; a class is what classifiers learn and footage is
scored by. GARMENT_CLASSES is the one table of classes; the maps below it are its views, one for
each source of labels. GENERAL_NAME is the one table of what is shown where the class is in doubt.
Imports nothing of ours.
"""

from dataclasses import dataclass

LAYERS = ("top", "outer", "dress", "trousers", "skirt", "shorts", "shoes", "bag", "hat")
OTHER = "other"  # a classifier's class for what is no garment; the live app shows it as unknown
IGNORED = ""  # in place of a layer: the label is no garment of these layers, and hides none
CONFIDENCE_THRESHOLD = 0.5  # the live app's default


@dataclass(frozen=True)
class GarmentClass:
    """One class of garments, and the labels that mean it.

    Attributes:
        layer: one of LAYERS.
        body_part: "upper" or "lower" for classes that are worn in place of each other, else empty.
        photos: labels of photos of single garments (the clothing data set,
            github.com/alexeygrigorev/clothing-dataset, CC0).
        masks: names of mask values of photos of people (Clothing Co-Parsing).
        boxes: labels of boxes in photos of people.
        fashion_mnist: classes of Fashion-MNIST.
    """

    layer: str
    body_part: str = ""
    photos: tuple[str, ...] = ()
    masks: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ()
    fashion_mnist: tuple[str, ...] = ()


GARMENT_CLASSES = {
    "t-shirt": GarmentClass(
        "top", "upper",
        photos=("t-shirt", "polo", "undershirt", "top"),
        masks=("t-shirt",),
        fashion_mnist=("T-shirt/top",),
    ),
    "longsleeve": GarmentClass(
        "top", "upper",
        photos=("longsleeve", "hoodie"),
        masks=("sweater", "jumper", "sweatshirt", "hoodie"),
        fashion_mnist=("Pullover",),
    ),
    "shirt": GarmentClass(
        "top", "upper",
        photos=("shirt", "blouse"),
        masks=("shirt", "blouse"),
        fashion_mnist=("Shirt",),
    ),
    "outwear": GarmentClass(
        "outer", "upper",
        photos=("outwear", "blazer"),
        masks=("blazer", "cardigan", "coat", "jacket"),
        fashion_mnist=("Coat",),
    ),
    "dress": GarmentClass(
        "dress", "upper",
        photos=("dress",),
        masks=("dress",),
        boxes=("dress",),
        fashion_mnist=("Dress",),
    ),
    "pants": GarmentClass(
        "trousers", "lower",
        photos=("pants",),
        masks=("jeans", "pants", "leggings"),
        boxes=("pants",),
        fashion_mnist=("Trouser",),
    ),
    "skirt": GarmentClass(
        "skirt", "lower", photos=("skirt",), masks=("skirt",), boxes=("skirt",)
    ),
    "shorts": GarmentClass(
        "shorts", "lower", photos=("shorts",), masks=("shorts",), boxes=("shorts",)
    ),
    "shoes": GarmentClass(
        "shoes",
        photos=("shoes",),
        masks=("boots", "loafers", "pumps", "sandals", "shoes", "sneakers", "heels"),
        boxes=("shoe",),
        fashion_mnist=("Sneaker", "Sandal", "Ankle boot"),
    ),
    "hat": GarmentClass("hat", photos=("hat",), masks=("hat",), boxes=("hat",)),
    "bag": GarmentClass("bag", fashion_mnist=("Bag",)),
}  # fmt: skip


def _layers_of(classes: dict[str, str]) -> dict[str, str]:
    return {label: GARMENT_CLASSES[name].layer for label, name in classes.items()}


# Photos of single garments.
PHOTO_CLASS = {label: name for name, row in GARMENT_CLASSES.items() for label in row.photos}
PHOTO_LAYER = _layers_of(PHOTO_CLASS)
# Their class of Fashion-MNIST, where one class alone is meant.
PHOTO_FASHION_MNIST = {
    label: row.fashion_mnist[0]
    for row in GARMENT_CLASSES.values()
    if len(row.fashion_mnist) == 1
    for label in row.photos
}

# Masks of photos of people.
MASK_CLASS = {label: name for name, row in GARMENT_CLASSES.items() for label in row.masks}
MASK_LAYER = {
    **_layers_of(MASK_CLASS),
    "top": "top",
    **dict.fromkeys(("cape", "vest"), "outer"),
    **dict.fromkeys(("clogs", "flats", "wedges"), "shoes"),
    **dict.fromkeys(("bag", "purse", "wallet"), "bag"),
}
# Photos with these are left out: a suit is a jacket with its trousers there, a romper a top with
# shorts, and the others are worn under everything.
MASK_AMBIGUOUS = frozenset(("suit", "romper", "bodysuit", "swimwear", "intimate"))

# Boxes in photos of people: of the layers themselves, or labels of a data set in which "shirt" is
# any top and "jacket" any outer layer, which are no single class, and "shoe" is a pair.
BOX_CLASS = {label: name for name, row in GARMENT_CLASSES.items() for label in row.boxes}
BOX_LAYER = {
    **{layer: layer for layer in LAYERS},
    **_layers_of(BOX_CLASS),
    "shirt": "top", "jacket": "outer", "sunglass": IGNORED,
}  # fmt: skip

# Labels of footage and of all networks: a class's own name, a class of Fashion-MNIST, or a layer
# that has one class alone.
_LAYERS_IN_USE = [row.layer for row in GARMENT_CLASSES.values()]
CLASS_OF = {
    label: name
    for name, row in GARMENT_CLASSES.items()
    for label in (name, *row.fashion_mnist, row.layer)
    if label != row.layer or _LAYERS_IN_USE.count(label) == 1
}

# The tree of names: by name the next more general one, up to GARMENT. Classes are its leaves.
GARMENT = "garment"
GENERAL_NAME = {
    "upper body": GARMENT,
    "top": "upper body",
    "t-shirt": "top",
    "longsleeve": "top",
    "shirt": "top",
    "outwear": "upper body",
    "lower body": GARMENT,
    "pants": "lower body",
    "skirt": "lower body",
    "shorts": "lower body",
    "dress": GARMENT,
    "shoes": GARMENT,
    "hat": GARMENT,
    "bag": GARMENT,
}


def general_name(name: str) -> str:
    """Return the next more general name of a class of any network, or of a name in the tree.

    A label that alone means a class hangs where the class does ("Coat": "upper body"); one of
    several under the class ("Sandal": "shoes"); one that is not known directly under GARMENT.
    """
    known = CLASS_OF.get(name, name)
    if name != known and len(GARMENT_CLASSES[known].fashion_mnist) > 1:
        return known
    return GENERAL_NAME.get(known, GARMENT)


def general_names(name: str) -> tuple[str, ...]:
    """Return the more general names of a name, from GARMENT down; none for GARMENT itself."""
    way: tuple[str, ...] = ()
    while name != GARMENT:
        name = general_name(name)
        way = (name, *way)
    return way


def _body_part_below(general: str) -> str:
    """The body part of the classes under a general name; empty if they have several."""
    parts = {
        row.body_part for name, row in GARMENT_CLASSES.items() if general in general_names(name)
    }
    return parts.pop() if len(parts) == 1 else ""


# The part of the body by class, and by the names that several classes on it have in common.
BODY_PART = {
    **{name: row.body_part for name, row in GARMENT_CLASSES.items() if row.body_part},
    **{name: part for name in GENERAL_NAME if (part := _body_part_below(name))},
}
# By limb: the classes that leave it bare, and those on the same part of the body that cover it.
BARE_OR_COVERED = {
    "forearms": (("t-shirt",), ("longsleeve",)),
    "shins": (("shorts", "skirt"), ("pants",)),
}
