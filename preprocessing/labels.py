"""The layers that clothes are worn in, and what data sets call each one's kinds. No imports."""

LAYERS = ("top", "outer", "dress", "trousers", "skirt", "shorts", "shoes", "bag", "hat")
OTHER = "other"  # a classifier's class for what is no garment; the live app calls it unknown
SURE = 0.5  # probability from which the live app tells a name, where it is not told otherwise
IGNORED = ""  # a label that is no garment of these layers, and hides none
# Clothing Co-Parsing: names of its mask values. A suit is a jacket with its trousers there, a
# romper a top with shorts, a body is worn under everything: such photos are left out.
PARSED = {
    **dict.fromkeys(("blouse", "sweater", "t-shirt", "top", "shirt", "jumper", "sweatshirt",
                     "hoodie"), "top"),
    **dict.fromkeys(("blazer", "cape", "cardigan", "coat", "jacket", "vest"), "outer"),
    "dress": "dress", "skirt": "skirt", "shorts": "shorts", "hat": "hat",
    **dict.fromkeys(("jeans", "pants", "leggings"), "trousers"),
    **dict.fromkeys(("boots", "clogs", "flats", "heels", "loafers", "pumps", "sandals", "shoes",
                     "sneakers", "wedges"), "shoes"),
    **dict.fromkeys(("bag", "purse", "wallet"), "bag"),
}  # fmt: skip
# What both photos of single garments and of people are named, where both know it.
FLAT_NAMES = {
    **{name: name for name in ("dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes",
                               "shorts", "skirt", "t-shirt")},
    "hoodie": "longsleeve", "blazer": "outwear", "blouse": "shirt",
    **dict.fromkeys(("polo", "undershirt", "top"), "t-shirt"),
}  # fmt: skip
WORN_NAMES = {
    **{name: name for name in ("dress", "skirt", "shorts", "hat", "t-shirt")},
    **dict.fromkeys(("sweater", "jumper", "sweatshirt", "hoodie"), "longsleeve"),
    **dict.fromkeys(("blouse", "shirt"), "shirt"),
    **dict.fromkeys(("blazer", "cardigan", "coat", "jacket"), "outwear"),
    **dict.fromkeys(("jeans", "pants", "leggings"), "pants"),
    **dict.fromkeys(("boots", "loafers", "pumps", "sandals", "shoes", "sneakers", "heels"),
                    "shoes"),
}  # fmt: skip
UNCLEAR = {"suit", "romper", "bodysuit", "swimwear", "intimate"}
# Boxes: of the layers themselves, or of the boxed photos, where "shirt" is any top, "jacket" any
# outer layer, "shoe" a pair.
BOXED = {
    **{layer: layer for layer in LAYERS},
    "shirt": "top", "jacket": "outer", "pants": "trousers", "shoe": "shoes", "sunglass": IGNORED,
}  # fmt: skip
# Boxes whose labels are names of single garments too; "shirt" and "jacket" need a look.
BOXED_NAMES = {
    **{name: name for name in ("dress", "hat", "pants", "shorts", "skirt")},
    "shoe": "shoes",
}
SINGLE = {
    **dict.fromkeys(("t-shirt", "longsleeve", "shirt", "polo", "undershirt", "blouse", "top",
                     "hoodie"), "top"),
    **dict.fromkeys(("outwear", "blazer"), "outer"),
    "dress": "dress", "pants": "trousers", "skirt": "skirt", "shorts": "shorts",
    "shoes": "shoes", "hat": "hat",
}  # fmt: skip
# By limb: the kinds that leave it bare, and those of the same place on the body that cover it.
BARE_OR_COVERED = {
    "forearms": (("t-shirt",), ("longsleeve",)),
    "shins": (("shorts", "skirt"), ("pants",)),
}
