"""Addresses as they may be shown: without the passwords that stand in them."""

import re

MASK = "***"
# A user's password ends at the last "@": some people write one in it. A colon before digits and a
# slash is that of a port.
LOGIN = re.compile(r"(\w://)([^\s:/@]*):(?!\d+(?:[/?#]|\s|$))\S*@")
QUERY = re.compile(r"([?&](?:\w*pass\w*|pwd|pw|token|auth|secret)=)[^&\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return an address, or a text with addresses in it, with each password as three stars."""
    return QUERY.sub(rf"\1{MASK}", LOGIN.sub(rf"\1\2:{MASK}@", text))


def without_login(address: str) -> str:
    """Return an address without user and password, for the name of a file."""
    return QUERY.sub("", LOGIN.sub(r"\1", address)).rstrip("?&")
