"""The layers that clothes are worn in, and what data sets call each one's kinds. No imports."""

LAYERS = ("top", "outer", "dress", "trousers", "skirt", "shorts", "shoes", "bag", "hat")
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
UNCLEAR = {"suit", "romper", "bodysuit", "swimwear", "intimate"}
# The boxed photos: "shirt" is any top there, "jacket" any outer layer, "shoe" a pair.
BOXED = {
    "shirt": "top", "jacket": "outer", "dress": "dress", "pants": "trousers", "skirt": "skirt",
    "shorts": "shorts", "shoe": "shoes", "bag": "bag", "hat": "hat", "sunglass": IGNORED,
}  # fmt: skip
SINGLE = {
    **dict.fromkeys(("t-shirt", "longsleeve", "shirt", "polo", "undershirt", "blouse", "top",
                     "hoodie"), "top"),
    **dict.fromkeys(("outwear", "blazer"), "outer"),
    "dress": "dress", "pants": "trousers", "skirt": "skirt", "shorts": "shorts",
    "shoes": "shoes", "hat": "hat",
}  # fmt: skip
