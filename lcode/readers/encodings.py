"""Text as machines of all languages write it: UTF-8, or what PowerShell, Excel or a Chinese Windows makes of it."""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder

from lcode.show import counted

_CHINESE = re.compile(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]")
"""A usual Chinese character, or a mark, in GB18030; accented letters of Latin-1 are seldom two in a row, and others."""

_BLOCK = re.compile(rb"\0{16,}")
"""What a file system leaves in a file that was being written when the machine went down. Shorter runs of zero bytes are
of a file that is no text."""

_MOSTLY = 0.7
"""Part of the bytes beyond ASCII that are of such characters in a Chinese text."""


def is_utf16(data: bytes) -> bool:
    """Whether the bytes say that they are UTF-16, as PowerShell writes it and Excel's "Unicode text"."""
    return data.startswith((BOM_UTF16_LE, BOM_UTF16_BE))


def without_torn_lines(data: bytes) -> tuple[bytes, str]:
    r"""The bytes without blocks of zeros and the lines that these cut, and what is to be told of it; empty: nothing.

    Example:
        >>> without_torn_lines(b"1,0.5\n2,0." + bytes(512) + b"25\n4,0.1\n")[0]
        b'1,0.5\n\n4,0.1\n'
    """
    blocks = [] if is_utf16(data) else [found.span() for found in _BLOCK.finditer(data)]
    if not blocks:
        return data, ""
    kept, end = [], 0
    for begin, after in blocks:
        kept.append(data[end : max(data.rfind(b"\n", end, begin) + 1, end)])
        line = data.find(b"\n", after)
        end = line if line >= 0 else len(data)
    kept.append(data[end:])
    left_out = f"{counted(len(blocks), 'block')} of zero bytes, as a crash leaves them"
    return b"".join(kept), f"{left_out}, and the lines that they cut were left out"


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
