"""The words of a query: garments by many names, colours, times, cameras, and words without meaning.

A garment that the networks do not tell from others of its class is searched as the class, and the
result says so.
"""

from preprocessing.labels import GARMENT, GENERAL_NAME, MASK_CLASS, PHOTO_CLASS

# By name in the tree of names: what else people call it.
SYNONYMS = {
    "t-shirt": "tee tshirt polo undershirt singlet vest camisole tank-top crop-top "
    "short-sleeve-top short-sleeved-top short-sleeves polo-shirt",
    "longsleeve": "jumper sweater pullover sweatshirt hoodie hoody turtleneck polo-neck knit "
    "long-sleeve long-sleeved-top long-sleeve-top longsleeved-top long-sleeves fleece",
    "shirt": "blouse button-down button-up dress-shirt",
    "outwear": "jacket coat blazer cardigan parka anorak raincoat windbreaker overcoat trench "
    "waistcoat gilet bomber outerwear leather-jacket rain-jacket suit-jacket",
    "dress": "gown frock sundress",
    "pants": "trousers jeans leggings chinos slacks sweatpants joggers tights trouser jean",
    "skirt": "miniskirt kilt",
    "shorts": "short bermudas",
    "shoes": "trainers sneakers boots sandals heels loafers pumps flats footwear shoe "
    "high-heels slippers",
    "hat": "cap beanie headgear bonnet helmet",
    "bag": "handbag backpack rucksack purse tote satchel suitcase shoulder-bag",
    "top": "",
    "upper body": "",
    "lower body": "bottoms bottom",
    GARMENT: "clothes clothing garment garments anything something outfit",
}
KINDS = {
    **{name: name for name in GENERAL_NAME},
    **{label: name for label, name in (MASK_CLASS | PHOTO_CLASS).items()
       if label not in GENERAL_NAME and label != "other"},
    **{word.replace("-", " "): name for name, words in SYNONYMS.items() for word in words.split()},
    "t shirt": "t-shirt",
}  # fmt: skip
EXACT = frozenset(("t-shirt", "tee", "tshirt", "t shirt", "shirt", "trousers", "pants", "footwear",
                   "outerwear", "longsleeve", "long sleeve", "clothes", "clothing", "garment",
                   "garments", "anything", "something", "outfit", "bottoms", "bottom", "dress",
                   "skirt", "shorts", "short", "shoe", "shoes", "hat", "bag", "top",
                   "upper body", "lower body"))  # fmt: skip
IMPLIED = {"jeans": ("denim", "grey", "black"), "jean": ("denim", "grey", "black")}  # colours
JOINS = frozenset(("and", "with", "plus"))
NEGATIONS = frozenset(("without", "no", "not", "except", "but"))
_FILLERS = """
a an the of in on at person persons people someone somebody anyone everybody all who that is
was are were wears wear wearing worn dressed has have had find show me us search for look
looking seen when did come came by pair some any his her their with please this coloured
colored colour color
"""
_PATTERNS = """
striped stripes checked check chequered plaid tartan plain printed print floral dotted
patterned camouflage graphic solid
"""
FILLERS = frozenset(_FILLERS.split())  # words without a meaning of their own
PATTERNS = frozenset(_PATTERNS.split())  # words that are known, but not what they mean
