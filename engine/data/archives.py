"""Tables inside zip and gz files, unpacked into the cache under names of our own, with a bound on what comes out."""

import gzip
import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from engine.data import encodings, spool
from engine.errors import NotATable
from engine.words import Words

_MOST = 8 << 30  # bytes that may come out of one archive
_RATIO = 200  # text shrinks to a tenth, hardly to a hundredth
_HARMLESS = 100 << 20  # below this the ratio does not matter
_MOST_FILES = 1000
_SKIPPED = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


def unpacked(path: Path, kind: str) -> list[tuple[str, Path]]:
    """The files inside as (name in the archive, place on disk).

    Raises:
        NotATable: damaged, encrypted, a bomb, names or links that lead out of it, nothing in it.
        DiskFull: no room to unpack it.
    """

    def fill(place: Path) -> None:
        names = _zip(path, place) if kind == "zip" else _gz(path, place)
        lines = (" ".join(name.splitlines()) for name in names)
        (place / "names").write_text("\n".join(lines), encoding="utf-8", errors="replace")

    place = spool.filled(spool.stamp(path, "unpacked"), fill)
    names = (place / "names").read_text(encoding="utf-8").split("\n")
    return [(name, place / f"{i}.part") for i, name in enumerate(names)]


def _gz(path: Path, place: Path) -> list[str]:
    try:
        with gzip.open(path) as file:
            _copy(file, place / "0.part", path, path.stat().st_size)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _refuse(path, f"the gz file is damaged ({error})", f"gz 文件已损坏（{error}）") from error
    return [path.name.removesuffix(".gz")]


def _zip(path: Path, place: Path) -> list[str]:
    names = []
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not _is_litter(m.filename)]
            if not members:
                raise _refuse(path, "there is no file in the zip archive", "zip 压缩包中没有文件")
            if len(members) > _MOST_FILES:
                raise _refuse(path, f"there are {len(members)} files in it", f"其中有 {len(members)} 个文件，过多")
            for member in members:
                _check(path, member)
            _bound(path, sum(m.file_size for m in members), sum(m.compress_size for m in members))
            for i, member in enumerate(members):
                with archive.open(member) as file:
                    _copy(file, place / f"{i}.part", path, path.stat().st_size)
                names.append(_name(member))
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # no room; what bz2 finds damaged has no number
        raise _refuse(path, f"the zip archive is damaged ({error})", f"zip 压缩包已损坏（{error}）") from error
    return names


def _name(member: zipfile.ZipInfo) -> str:
    """Its name in the archive. One that does not say that it is UTF-8 may be in the encoding of somebody's Windows, which
    zipfile takes for that of the first PCs."""
    if member.flag_bits & 0x800:
        return member.filename
    raw = member.filename.encode("cp437")
    return raw.decode(encodings.find_in(raw).encoding, "replace")


def _is_litter(name: str) -> bool:
    return any(part in _SKIPPED for part in PurePosixPath(name).parts)


def _check(path: Path, member: zipfile.ZipInfo) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in member.filename:
        raise _refuse(
            path,
            f"the name '{member.filename}' in the archive leads out of it; such an archive is not opened",
            f"压缩包中的文件名“{member.filename}”指向压缩包之外，出于安全考虑不会打开",
        )
    if stat.S_ISLNK(member.external_attr >> 16):
        raise _refuse(
            path,
            f"'{member.filename}' in the archive is a link to another file; put the file itself in",
            f"压缩包中的“{member.filename}”是指向其他文件的链接，请放入文件本身",
        )
    if member.flag_bits & 1:
        raise _refuse(path, "the archive has a password; unpack it first", "压缩包有密码，请先解压")


def _bound(path: Path, size: int, packed: int) -> None:
    if size > _MOST or (size > _HARMLESS and size > _RATIO * max(packed, 1)):
        raise _refuse(
            path,
            f"it would unpack to {size:,} bytes out of {packed:,}, like an archive made to fill a disk; unpack it yourself "
            "if it is yours",
            f"解压后将从 {packed:,} 字节变成 {size:,} 字节，像是用来塞满磁盘的压缩包；如果确认是自己的文件，请自行解压后再用",
        )


def _copy(file: IO[bytes], target: Path, path: Path, packed: int) -> None:
    """Unpack one file; what it says of its own size is not believed."""
    size = 0
    with open(target, "wb") as out:
        while part := file.read(1 << 20):
            size += len(part)
            _bound(path, size, packed)
            out.write(part)


def _refuse(path: Path, en: str, zh: str) -> NotATable:
    return NotATable(file=path.name, reason=Words(en, zh))
