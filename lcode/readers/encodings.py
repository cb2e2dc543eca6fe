"""Text as machines of all languages write it: UTF-8, or what PowerShell, Excel or a Chinese Windows makes of it."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder

_CHINESE = re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]")
"""A usual Chinese character, or a mark, in GB18030; accented letters of Latin-1 are seldom two in a row, and others."""

_MOSTLY = 0.7
"""Part of the bytes beyond ASCII that are of such characters in a Chinese text."""


def is_utf16(data: bytes) -> bool:
    """Whether the bytes say that they are UTF-16, as PowerShell writes it and Excel's "Unicode text"."""
    return data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))


def text_of_bytes(data: bytes) -> tuple[str, str]:
    """The text, and what is to be told of its encoding; empty: it is UTF-8, or says itself what it is.

    A last letter that is cut off is left out. The numbers are the same in all encodings that are tried.
    """
    if is_utf16(data):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace"), ""
    text = _whole(data, "utf-8-sig")
    if text is not None:
        return text, ""
    text = _whole(data, "gb18030")
    beyond_ascii = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if text is not None and 2 * len(_CHINESE.findall(data)) >= _MOSTLY * beyond_ascii:
        return text, "it is not UTF-8 and was read as GB18030, the encoding of Chinese machines"
    return data.decode("cp1252", "replace"), "it is not UTF-8 and was read as Windows-1252 (Latin-1)"


def _whole(data: bytes, encoding: str) -> str | None:
    """The text, without a last letter that is cut off; None where the bytes are of another encoding."""
    try:
        return getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
