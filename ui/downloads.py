"""What a browser may fetch of a run: its report as a page, an export as one zip file. Both are made while they are sent."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse

from engine.compare import report, tasks
from engine.errors import NotFound
from engine.runs import store
from ui.text import LANGUAGES

_PART = 1 << 20
# A report needs nothing but its own style; should any text in it ever become markup, it can do nothing.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-modals; frame-ancestors 'none'"
)


def add(app: FastAPI) -> None:
    """Add the two addresses to the application. Whoever may see its pages may fetch them."""
    app.add_api_route("/report/{run}/{lang}", _report, include_in_schema=False)
    app.add_api_route("/export/{job}", _export, include_in_schema=False)


def report_address(run: store.Run, lang: str) -> str:
    return f"/report/{run.id}/{lang}"


def export_address(job: store.Run) -> str:
    return f"/export/{job.id}"


def _report(run: str, lang: str, save: bool = False) -> Response:
    found = _found(run, "train")
    if found is None or lang not in LANGUAGES:
        return PlainTextResponse("404", 404)
    headers = {"Content-Security-Policy": _REPORT_POLICY}
    if save:
        headers["Content-Disposition"] = _attachment(f"{found.card['name'] or found.id}.html")
    return HTMLResponse(report.page(found, lang), headers=headers)


def _export(job: str) -> Response:
    found = _found(job, tasks.EXPORT)
    folder = tasks.exported(found) if found else None
    if folder is None:
        return PlainTextResponse("404", 404)
    headers = {"Content-Disposition": _attachment(f"{folder.name}.zip")}
    return StreamingResponse(zipped(folder), media_type="application/zip", headers=headers)


def _found(id: str, kind: str) -> store.Run | None:
    """The job of the workspace with that id: an address names nothing else."""
    if id != Path(id).name or id.startswith("."):
        return None
    try:
        job = store.here(id)
    except NotFound:
        return None
    return job if job.kind == kind else None


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


class _Sink:
    """A file that cannot seek: what was written since `taken` was last called."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def flush(self) -> None:
        pass

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def zipped(folder: Path) -> Iterator[bytes]:
    """A folder as a zip file, piece by piece: nothing is written to the disk. Weights do not shrink, so nothing is
    compressed."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            about = zipfile.ZipInfo.from_file(path, Path(folder.name) / path.relative_to(folder))
            with open(path, "rb") as source, archive.open(about, "w", force_zip64=True) as target:
                while part := source.read(_PART):
                    target.write(part)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()
