"""Kinds of picture files, by their first bytes: names lie, and some files have none."""

from pathlib import Path

SUFFIXES = frozenset((
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".bmp", ".gif", ".tif", ".tiff",
    ".avif", ".avifs", ".heic", ".heif", ".hif",
))  # fmt: skip
HEAD_BYTES = 64
SIGNATURES = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
)
# Brands of ISO/IEC 23008-12 and of AV1 Image File Format.
AVIF_BRANDS = frozenset((b"avif", b"avis"))
HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
                         b"heif"))  # fmt: skip
VIDEO = "video"
MOTION_JPEG = frozenset((".mjpeg", ".mjpg"))  # videos that begin as a picture does
ANIMATED_KINDS = frozenset(("gif", "webp", "png", "avif"))


def kind_of(path: Path) -> str:
    """The kind by the content: "jpeg", "heic", ..., VIDEO; "" for any other file or none."""
    if not path.is_file():  # reading a pipe would take its bytes away
        return ""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return ""
    return kind_of_head(head)


def kind_of_head(head: bytes) -> str:
    """The kind by the first HEAD_BYTES of a file; "" for any other."""
    for start, kind in SIGNATURES:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF":
        return "webp" if head[8:12] == b"WEBP" else VIDEO
    if head[4:8] == b"ftyp":
        return _kind_by_brands(head)
    return VIDEO if head.startswith(b"\x1aE\xdf\xa3") else ""


def _kind_by_brands(head: bytes) -> str:
    length = min(int.from_bytes(head[:4], "big"), len(head))
    major, others = head[8:12], {head[at : at + 4] for at in range(16, length, 4)}
    if major not in AVIF_BRANDS | HEIC_BRANDS:
        return VIDEO
    return "avif" if {major, *others} & AVIF_BRANDS else "heic"


def is_picture(path: Path) -> bool:
    """True for a picture file; its content decides, and its suffix where that is unknown."""
    suffix, kind = path.suffix.lower(), kind_of(path)
    if kind and kind != VIDEO:
        return suffix not in MOTION_JPEG
    return kind != VIDEO and suffix in SUFFIXES
