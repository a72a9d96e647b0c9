"""What kind of file it is, by its first bytes, never by its name. It opens nothing further."""

import zipfile
from pathlib import Path

from engine.words import Words

_TABLES = ((b"PAR1", "parquet"), (b"\x1f\x8b", "gz"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"))
_OLD_EXCEL = (b"\x09\x00\x04\x00", b"\x09\x00\x06\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00", b"\x09\x08\x08\x00")

_OTHERS = (
    (b"\x89PNG", Words("a PNG image", "PNG 图片")),
    (b"\xff\xd8\xff", Words("a JPEG image", "JPEG 图片")),
    (b"GIF8", Words("a GIF image", "GIF 图片")),
    (
        b"%PDF",
        Words(
            "a PDF document; export its table as CSV or Excel first", "PDF 文档，请先把其中的表格导出为 CSV 或 Excel"
        ),
    ),
    (b"RIFF", Words("a sound, image or video file", "音频、图片或视频文件")),
    (b"ID3", Words("a sound file", "音频文件")),
    (b"\x7fELF", Words("a program", "程序文件")),
    (b"MZ\x90", Words("a program", "程序文件")),
    (b"SQLite format 3", Words("a database; export its table as CSV first", "数据库文件，请先把其中的表导出为 CSV")),
    (b"7z\xbc\xaf", Words("a 7z archive; unpack it first, or use zip", "7z 压缩包，请先解压，或改用 zip")),
    (b"Rar!", Words("a RAR archive; unpack it first, or use zip", "RAR 压缩包，请先解压，或改用 zip")),
    (b"BZh", Words("a bz2 archive; unpack it first, or use gz", "bz2 压缩包，请先解压，或改用 gz")),
    (b"\xfd7zXZ", Words("an xz archive; unpack it first, or use gz", "xz 压缩包，请先解压，或改用 gz")),
    (b"\x28\xb5\x2f\xfd", Words("a zstd archive; unpack it first, or use gz", "zstd 压缩包，请先解压，或改用 gz")),
    (b"\x80\x02", Words("a Python pickle, which is never opened here", "Python pickle 文件，出于安全考虑不会打开")),
    (b"\x80\x03", Words("a Python pickle, which is never opened here", "Python pickle 文件，出于安全考虑不会打开")),
    (b"\x80\x04\x95", Words("a Python pickle, which is never opened here", "Python pickle 文件，出于安全考虑不会打开")),
    (b"\x93NUMPY", Words("a NumPy array", "NumPy 数组文件")),
)
BINARY = Words("a binary file, not text", "二进制文件，不是文本")


def find(path: Path) -> str | Words:
    """ "zip", "gz", "xlsx", "xls", "parquet" or "text"; or, for what is no table, the words for what it is."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip(path)
    for mark, kind in _TABLES:
        if head.startswith(mark):
            return kind
    if head.startswith(_OLD_EXCEL):
        return "xls"
    for mark, words in _OTHERS:
        if head.startswith(mark):
            return words
    if head[4:8] == b"ftyp":
        return Words("a video file", "视频文件")
    return BINARY if _is_binary(head) else "text"


def _zip(path: Path) -> str | Words:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError):
        return Words("a damaged zip archive; make it anew", "损坏的 zip 压缩包，请重新生成")
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "word/document.xml" in names:
        return Words(
            "a Word document; save its table as CSV or Excel first", "Word 文档，请先把其中的表格存为 CSV 或 Excel"
        )
    if "mimetype" in names and "content.xml" in names:
        return Words("an OpenDocument file; save it as xlsx or CSV first", "OpenDocument 文件，请先另存为 xlsx 或 CSV")
    return "zip"


def _is_binary(head: bytes) -> bool:
    """Many control bytes, and not the pattern of zeros that UTF-16 and UTF-32 make of text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")):
        return False
    zeros = head.count(0)
    even = head[::2].count(0)
    if zeros > len(head) * 0.02 and (even > zeros * 0.9 or even < zeros * 0.1):
        return zeros > len(head) * 0.6
    controls = sum(head.count(bytes((code,))) for code in range(32) if code not in (1, 9, 10, 12, 13, 31))
    return controls > max(16, len(head) * 0.05)
