"""An export, sent to a hub: ModelScope or Hugging Face, private unless said otherwise, by their own clients.

It imports the clients only when it sends. A repository that is there already is added to only where it is as private as
was asked for: what was to be private must not land in a public one.
"""

from collections.abc import Callable
from pathlib import Path

from engine.errors import NetworkFailed, Unsupported
from engine.models.source import Source
from engine.words import Words

_MESSAGE = "Uploaded by TuneDesk"
_NOT_PRIVATE = Words(
    "'{id}' is there already and public, so it cannot take a private upload. Choose another name, or make it private on "
    "the hub first.",
    "“{id}”已经存在且是公开的，不能用于私有上传。请换一个名称，或先在网站上把它改为私有。",
)
_DENIED = Words(
    "{host} did not let this token write to '{id}'. Give a token with the right to write, made under your account there.",
    "{host} 不允许用该访问令牌写入“{id}”。请在该网站的账号下生成具有写权限的令牌（token）后填写。",
)

Progress = Callable[[int, int], None]


def upload(folder: Path, to: Source, private: bool, progress: Progress = lambda done, total: None) -> str:
    """Send every file of `folder` to the repository `to`, made first where it is not there; returns its address.

    Args:
        progress: called with (bytes sent, in all).

    Raises:
        Unsupported: the hub wants another token, or the repository is public and the upload was to be private.
        NetworkFailed: it cannot be reached or refuses.
    """
    send = {"modelscope": _to_modelscope, "huggingface": _to_hugging_face}[to.hub]
    return send(folder, to, private, progress)


def _to_hugging_face(folder: Path, to: Source, private: bool, progress: Progress) -> str:
    import httpx2
    from huggingface_hub import CommitOperationAdd, HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi(endpoint=to.address)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    total, done = sum(path.stat().st_size for path in files), 0
    try:
        api.create_repo(to.id, private=private, exist_ok=True)
        if private and not api.repo_info(to.id).private:
            raise Unsupported(reason=_NOT_PRIVATE.filled(id=to.id))
        operations = [CommitOperationAdd(str(path.relative_to(folder)), path) for path in files]
        for operation, path in zip(operations, files, strict=True):
            progress(done, total)
            api.preupload_lfs_files(to.id, [operation])
            done += path.stat().st_size
        api.create_commit(to.id, operations, commit_message=_MESSAGE)
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise Unsupported(reason=_DENIED.filled(id=to.id, host=to.host)) from None
        raise NetworkFailed(host=to.host, reason=f"HTTP {status}") from error
    except (httpx2.HTTPError, RuntimeError) as error:
        # Whatever goes wrong with the weights is a RuntimeError there, with what it was as its cause.
        raise NetworkFailed(host=to.host, reason=str(error.__cause__ or error)) from error
    progress(total, total)
    return f"{to.address}/{to.id}"


def _to_modelscope(folder: Path, to: Source, private: bool, progress: Progress) -> str:
    from modelscope_hub import HubApi, HubConfig
    from modelscope_hub.constants import Visibility
    from modelscope_hub.errors import AuthenticationError, HubError, NotExistError, PermissionDeniedError

    api = HubApi(HubConfig(endpoint=to.address))
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    try:
        try:
            there = api.get_repo(to.id, "model")
        except NotExistError:
            api.create_repo(to.id, "model", visibility="private" if private else "public")
        else:
            if private and there.visibility != Visibility.PRIVATE and not there.private:
                raise Unsupported(reason=_NOT_PRIVATE.filled(id=to.id))
        progress(0, total)
        api.upload_folder(
            to.id,
            "model",
            folder,
            commit_message=_MESSAGE,
            disable_tqdm=True,
            use_cache=False,
            progress_callback=lambda told: progress(told["committed_bytes"], total),
        )
    except (AuthenticationError, PermissionDeniedError):
        raise Unsupported(reason=_DENIED.filled(id=to.id, host=to.host)) from None
    except HubError as error:
        raise NetworkFailed(host=to.host, reason=str(error).splitlines()[0]) from error
    progress(total, total)
    return f"{to.address}/models/{to.id}"
