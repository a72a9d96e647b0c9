"""ModelScope and Hugging Face behind one face: what a repository holds, and one file of it, by the hubs' own clients.

A file is fetched into a folder under its own name; while it comes it is called `NAME.incomplete`, and a fetch goes on
from what is there. What goes wrong is told as one of three: `TryAgain` (the network, a busy server), an error that only
the person can mend (not found, no permission), or `Damaged` (not what the hub announced).
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from engine import home
from engine.errors import AccessDenied, Damaged, NetworkFailed, NotFound, Unsupported, from_os_error
from engine.models.source import Source, hub
from engine.words import Words

_REPOSITORY = Words("repository on {hub}", "仓库（{hub}）")
_CHECK_ID = Words("Check the ID, the hub and the revision.", "请检查 ID、模型库和版本号。")
_UNSAFE = Words(
    "The file list of '{id}' holds an unsafe name ('{name}'), so nothing was fetched.",
    "“{id}”的文件列表中有不安全的文件名（“{name}”），因此没有下载任何内容。",
)
_CIRCLE = Words("its redirects go round in circles", "它的重定向形成了循环")
_SILENT = Words("it does not answer, or hardly", "没有响应，或速度极慢")
_LOST = Words("the connection failed", "连接失败")
_EMPTY = Words("'{id}' holds no files.", "“{id}”中没有任何文件。")


class TryAgain(NetworkFailed):
    """A failure that may pass by itself. `wait`: seconds that the server asked for, or None."""

    def __init__(self, host: str, reason: str | Words, wait: float | None = None):
        super().__init__(host=host, reason=reason)
        self.wait = wait


@dataclass(frozen=True)
class File:
    """`sha256` of its content, or `blob`, git's SHA-1 of it; None where the hub gives none."""

    path: str
    size: int
    sha256: str | None = None
    blob: str | None = None


@dataclass(frozen=True)
class Listing:
    """`revision`: the commit where the hub names one, so that every file is of the same version."""

    revision: str
    files: tuple[File, ...]


class Client(Protocol):
    def listing(self) -> Listing: ...

    def fetch(self, file: File, revision: str, folder: Path) -> None: ...


def client(source: Source) -> Client:
    """The hub's own client for `source`; the import waits till here."""
    return ModelScope(source) if source.hub == "modelscope" else HuggingFace(source)


def partial(file: File, folder: Path) -> Path:
    """Where the first part of a file lies while it comes."""
    return folder / f"{file.path}.incomplete"


def present(file: File, folder: Path) -> int:
    """Bytes of a file that are here."""
    for path in (folder / file.path, partial(file, folder)):
        try:
            return min(path.stat().st_size, file.size)
        except FileNotFoundError:
            continue
    return 0


def check(file: File, folder: Path) -> None:
    """Raises:
    Damaged: size or hash are not as announced; the file is gone then, so that it is fetched anew.
    """
    path = folder / file.path
    if path.stat().st_size == file.size and (
        home.sha256(path) == file.sha256 if file.sha256 else file.blob in (None, _git_blob(path))
    ):
        return
    path.unlink()
    raise Damaged(file=file.path)


def checked(source: Source, files: tuple[File, ...]) -> tuple[File, ...]:
    """Raises:
    Unsupported: a name that would leave the folder, or no files at all.
    """
    if not files:
        raise Unsupported(reason=_EMPTY.filled(id=source.id))
    for file in files:
        parts = PurePosixPath(file.path).parts
        if not parts or ".." in parts or file.path[0] == "/" or any(c in file.path for c in "\\:\0"):
            raise Unsupported(reason=_UNSAFE.filled(id=source.id, name=file.path[:200]))
    return files


class ModelScope:
    def __init__(self, source: Source):
        from modelscope_hub import HubApi, HubConfig

        self._source = source
        # A configuration of its own: the client's shared one keeps the token that it read first for ever.
        self._api = HubApi(HubConfig(endpoint=source.address, token=None if source.use_token else ""))

    def listing(self) -> Listing:
        revision = self._source.revision or hub("modelscope").revision
        found = self._said(
            lambda: self._api.list_repo_files(self._source.id, self._source.kind, revision=revision, recursive=True)
        )
        files = tuple(File(f.path, f.size, sha256=f.sha256 or None) for f in found if f.type != "tree")
        return Listing(revision, checked(self._source, files))

    def fetch(self, file: File, revision: str, folder: Path) -> None:
        self._said(
            lambda: self._api.download_file(
                self._source.id,
                self._source.kind,
                file.path,
                revision=revision,
                local_dir=folder,
                # Its locks lie here; they go with the folder.
                cache_dir=folder / ".locks",
                expected_sha256=file.sha256,
                file_size=file.size,
            )
        )

    def _said(self, ask):
        import requests
        from modelscope_hub import errors

        try:
            return ask()
        except errors.NotExistError:
            raise _not_found(self._source) from None
        except (errors.AuthenticationError, errors.PermissionDeniedError):
            raise _denied(self._source) from None
        except errors.FileIntegrityError as error:
            raise Damaged(file=error.message.partition(" for ")[2].partition(":")[0].partition(" ")[0]) from None
        except errors.RateLimitError as error:
            raise TryAgain(self._source.host, "HTTP 429", error.retry_after) from None
        except errors.APIError as error:
            raise TryAgain(self._source.host, f"HTTP {error.status_code}") from None
        except (errors.HubError, requests.RequestException) as error:
            raise _broken(self._source, error) from None
        except OSError as error:
            raise from_os_error(error, self._source.id) from error


class HuggingFace:
    def __init__(self, source: Source):
        from huggingface_hub import HfApi, constants

        # Pieces as they come: of a piece of its usual 10 MB nothing is left when the connection breaks in its middle.
        constants.DOWNLOAD_CHUNK_SIZE = None
        self._source = source
        self._token = None if source.use_token else False
        self._api = HfApi(endpoint=source.address, token=self._token)

    def listing(self) -> Listing:
        from huggingface_hub.hf_api import RepoFile

        def ask() -> Listing:
            kind = self._source.kind
            commit = self._api.repo_info(self._source.id, repo_type=kind, revision=self._source.revision).sha
            found = self._api.list_repo_tree(self._source.id, recursive=True, revision=commit, repo_type=kind)
            files = [
                File(f.path, f.size, sha256=f.lfs.sha256 if f.lfs else None, blob=None if f.lfs else f.blob_id)
                for f in found
                if isinstance(f, RepoFile)
            ]
            return Listing(commit, tuple(files))

        listing = self._said(ask)
        checked(self._source, listing.files)
        return listing

    def fetch(self, file: File, revision: str, folder: Path) -> None:
        """Through the client's own transfer, handed the part that is here: `hf_hub_download` of version 2 throws a
        part away when its process ends."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers

        part = partial(file, folder)
        part.parent.mkdir(parents=True, exist_ok=True)
        if part.exists() and part.stat().st_size > file.size:
            part.unlink()
        url = hf_hub_url(
            self._source.id,
            file.path,
            repo_type=self._source.kind,
            revision=revision,
            endpoint=self._source.address,
        )

        def ask() -> None:
            with open(part, "ab") as stream:
                http_get(
                    url,
                    stream,
                    resume_size=stream.tell(),
                    headers=build_hf_headers(token=self._token),
                    expected_size=file.size,
                    _nb_retries=0,
                )

        try:
            self._said(ask)
        except Damaged:
            part.unlink()
            raise
        os.replace(part, folder / file.path)

    def _said(self, ask):
        import httpx2
        from huggingface_hub import errors

        try:
            return ask()
        except errors.GatedRepoError:
            raise _denied(self._source) from None
        except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
            # Hugging Face says 401 for what is not there, so that names of private ones do not leak.
            known = isinstance(error, errors.RevisionNotFoundError | errors.EntryNotFoundError)
            raise (_not_found if known or error.response.status_code == 404 else _denied)(self._source) from None
        except errors.HfHubHTTPError as error:
            status = error.response.status_code
            if status in (401, 403):
                raise _denied(self._source) from None
            raise TryAgain(self._source.host, f"HTTP {status}", _seconds(error.response)) from None
        except httpx2.HTTPError as error:
            raise _broken(self._source, error) from None
        except OSError as error:
            if error.errno is None:
                # "Consistency check failed": more or fewer bytes than announced.
                raise Damaged(file=self._source.id) from None
            raise from_os_error(error, self._source.id) from error


def _not_found(source: Source) -> NotFound:
    name = f"{source.id}@{source.revision}" if source.revision else source.id
    return NotFound(kind=_REPOSITORY.filled(hub=source.host), name=name, hint=_CHECK_ID)


def _denied(source: Source) -> AccessDenied:
    return AccessDenied(id=source.id, host=source.host)


def _broken(source: Source, error: BaseException) -> NetworkFailed:
    """A failed connection, by what lies at the bottom of the client's error: its own message is in one language only."""
    names = []
    while error is not None:
        names.append(type(error).__name__)
        error = error.__cause__ or error.__context__
    if any("TooManyRedirects" in name for name in names):
        return NetworkFailed(host=source.host, reason=_CIRCLE)
    slow = any("Timeout" in name or "TooSlow" in name for name in names)
    return TryAgain(source.host, _SILENT if slow else _LOST)


def _seconds(response: object) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None


def _git_blob(path: Path) -> str:
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()
