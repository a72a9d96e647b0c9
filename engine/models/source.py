"""Where a model or data set comes from: a hub, an ID, a revision; read from what people type or paste."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from engine.errors import Unsupported
from engine.words import Words

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_REVISION = re.compile(r"[\w./-]{1,100}", re.ASCII)

_BAD_ID = Words(
    "'{id}' is not an ID. Give owner/name, such as Qwen/Qwen2.5-0.5B, or paste the address of its page",
    "“{id}”不是有效的 ID。请填写“所有者/名称”，例如 Qwen/Qwen2.5-0.5B，或粘贴它的网页地址",
)
_BAD_REVISION = Words(
    "'{revision}' is not a revision: give a branch, tag or commit",
    "“{revision}”不是有效的版本号，请填写分支、标签或提交号",
)
_BAD_ENDPOINT = Words(
    "'{endpoint}' is not the address of a hub: it begins with http:// or https://",
    "“{endpoint}”不是模型库的地址：应以 http:// 或 https:// 开头",
)
_BAD_HUB = Words(
    "There is no hub '{hub}': modelscope or huggingface", "没有名为“{hub}”的模型库：可选 modelscope 或 huggingface"
)


@dataclass(frozen=True)
class Hub:
    key: str
    label: Words
    endpoint: str
    hosts: tuple[str, ...]
    revision: str


HUBS = (
    Hub(
        key="modelscope",
        label=Words("ModelScope", "ModelScope 魔搭"),
        endpoint="https://modelscope.cn",
        hosts=("modelscope.cn", "modelscope.ai"),
        revision="master",
    ),
    Hub(
        key="huggingface",
        label=Words("Hugging Face", "Hugging Face"),
        endpoint="https://huggingface.co",
        hosts=("huggingface.co", "hf.co", "hf-mirror.com"),
        revision="main",
    ),
)


@dataclass(frozen=True)
class Source:
    """`endpoint`: another address of the hub (a mirror), None for its own; `revision`: None for the newest; `use_token`:
    whether the hub's saved token goes with the requests."""

    id: str
    hub: str = "modelscope"
    kind: Literal["model", "dataset"] = "model"
    endpoint: str | None = None
    revision: str | None = None
    use_token: bool = True

    @property
    def folder(self) -> str:
        """Its place below the library: `owner/name`, with a revision `owner/name@revision`."""
        return f"{self.id}@{self.revision.replace('/', '-')}" if self.revision else self.id

    @property
    def address(self) -> str:
        return self.endpoint or hub(self.hub).endpoint

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc


def hub(key: str) -> Hub:
    """Raises:
    Unsupported: there is no such hub.
    """
    for each in HUBS:
        if each.key == key:
            return each
    raise Unsupported(reason=_BAD_HUB.filled(hub=key))


def read(
    text: str,
    hub_key: str = "modelscope",
    kind: Literal["model", "dataset"] = "model",
    endpoint: str | None = None,
    revision: str | None = None,
    use_token: bool | None = None,
) -> Source:
    """The source that `text` (an ID or the address of a page) names. A page's address says by itself which hub it is on,
    and whether it is of a data set. A saved token goes to the hub's own address unless told otherwise, and to no other.

    Raises:
        Unsupported: what was given names nothing.
    """
    id, kind, found, mirror = _parts(text.strip(), kind)
    endpoint = (endpoint or "").strip().rstrip("/") or mirror
    revision = (revision or "").strip() or None
    if not _ID.fullmatch(id) or ".." in id:
        raise Unsupported(reason=_BAD_ID.filled(id=text.strip()[:200]))
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise Unsupported(reason=_BAD_REVISION.filled(revision=revision[:200]))
    if endpoint and not (urlsplit(endpoint).scheme in ("http", "https") and urlsplit(endpoint).netloc):
        raise Unsupported(reason=_BAD_ENDPOINT.filled(endpoint=endpoint[:200]))
    return Source(
        id=id,
        hub=hub(found or hub_key).key,
        kind=kind,
        endpoint=endpoint,
        revision=revision,
        use_token=endpoint is None if use_token is None else use_token,
    )


def _parts(text: str, kind: str) -> tuple[str, str, str | None, str | None]:
    """(ID, kind, key of the hub or None, address of a mirror or None)."""
    match = re.match(r"(?:https?://)?([\w.-]+\.[a-z]{2,})/(.+)", text)
    known = next((h for h in HUBS if match and match[1].removeprefix("www.") in h.hosts), None)
    if known is None:
        return text, kind, None, None
    path = [part for part in re.split(r"[?#]", match[2])[0].split("/") if part]
    if path[:1] in (["models"], ["datasets"]):
        kind = "dataset" if path.pop(0) == "datasets" else "model"
    mirror = "https://hf-mirror.com" if match[1] == "hf-mirror.com" else None
    return "/".join(path[:2]), kind, known.key, mirror
