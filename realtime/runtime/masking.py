"""Addresses as they may be shown: without the passwords that stand in them."""

import re

MASK = "***"
# A user's password ends at the last "@": some people write one in it. A colon before digits and a
# slash is that of a port.
LOGIN = re.compile(r"(\w://)([^\s:/@]*):(?!\d+(?:[/?#]|\s|$))\S*@")
KEY = re.compile(r"(rtmps?://[^/\s]+/[^/\s]+/)[^\s?'\"]+", re.IGNORECASE)  # of a stream
QUERY = re.compile(r"([?&](?:\w*pass\w*|pwd|pw|token|auth|secret)=)[^&\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Return an address, or a text with addresses in it, with each secret as three stars.

    Secrets are passwords, tokens and the keys of RTMP streams.
    """
    return KEY.sub(rf"\1{MASK}", QUERY.sub(rf"\1{MASK}", LOGIN.sub(rf"\1\2:{MASK}@", text)))


def login_refused(shown: str) -> str:
    """Return the line for a server that wants a password, or another one.

    Args:
        shown: the address, masked.
    """
    if f":{MASK}@" in shown:
        hint = "write @ / ? # : of it as %40 %2F %3F %23 %3A"
        return f"{shown} refuses this user or password: {hint}"
    scheme, _, rest = shown.partition("://")
    return f"{shown} asks for a password: {scheme}://USER:PASSWORD@{rest}"


def without_login(address: str) -> str:
    """Return an address without its secrets, for the name of a file."""
    return KEY.sub(r"\1", QUERY.sub("", LOGIN.sub(r"\1", address))).rstrip("?&/")
