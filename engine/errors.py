"""Every exception that TuneDesk raises on purpose.

    TuneDeskError
    ├── InputError               what the person gave cannot work (exit code 2)
    │   ├── InvalidFields        one or more parameters, each named
    │   ├── NotFound             a model, data set, run, file that is not there
    │   ├── NotAModel            a folder without a usable model
    │   ├── NotATable            a file that cannot be read as a table
    │   ├── BadMapping           roles and columns that do not fit
    │   ├── NoRows               nothing left to train on
    │   ├── TooLong              a question longer than the model's context
    │   ├── Unsupported          a combination that cannot work
    │   ├── AccessDenied         a hub that wants a token, or terms accepted, first
    │   ├── OutsideFolder        a path that leaves the folder it must stay in
    │   ├── NameTooLong          longer than the name of a file can be
    │   └── Exists               something of that name is already there
    └── WorkError                the work failed (exit code 1)
        ├── DiskFull             no room left
        ├── TooLittleRoom        less room than a download needs
        ├── Damaged              a downloaded file that is not what the hub announced
        ├── OutOfMemory          no memory left
        ├── TooLittleMemory      less memory than merging a model needs
        ├── LossNotFinite        training diverged
        ├── DeviceLost           the GPU stopped answering
        ├── WorkerDied           the training process ended without a word
        ├── WorkerHung           the training process gave no sign of life and was ended
        ├── ServerDied           the generation process ended or does not answer
        └── NetworkFailed        a hub or judge could not be reached

A message names what was given and what to do, in both languages. An error crosses process borders as a record (its
class name and its details), so each side says it in its reader's language.
"""

import errno
import os

from engine.words import Words


class TuneDeskError(Exception):
    """Base of all. A subclass sets `words`; `details` fill its `{names}`."""

    words = Words(en="{reason}", zh="{reason}")
    exit_code = 1

    def __init__(self, **details: object):
        super().__init__(details)
        self.details = details

    def __str__(self) -> str:
        return self.text("en")

    def text(self, lang: str) -> str:
        """The message in `lang`; a detail that is itself `Words` is given in the same language."""
        values = {k: v.text(lang) if isinstance(v, Words) else v for k, v in self.details.items()}
        return self.words.text(lang, **values)

    def record(self) -> dict:
        """`{"error": class name, "details": {...}}`, for JSON; `from_record` is its inverse."""
        return {"error": type(self).__name__, "details": self.details}


class InputError(TuneDeskError):
    exit_code = 2


class InvalidFields(InputError):
    """`problems`: list of `{"field": name, "label": Words, "problem": Words}`; every one is told at once."""

    def text(self, lang: str) -> str:
        each = [(Words(*p["label"]).text(lang), Words(*p["problem"]).text(lang)) for p in self.details["problems"]]
        return ("；" if lang == "zh" else "; ").join(
            f"{label}：{say}" if lang == "zh" else f"{label}: {say}" for label, say in each
        )


class NotFound(InputError):
    """`kind`: Words; `name`: what was asked for; `hint`: Words, what to do."""

    words = Words(en="There is no {kind} '{name}'. {hint}", zh="找不到{kind}“{name}”。{hint}")


class NotAModel(InputError):
    words = Words(
        en="'{path}' is not a model that can be used here: {reason}.",
        zh="“{path}”不是可用的模型：{reason}。",
    )


class NotATable(InputError):
    words = Words(en="'{file}' cannot be read as a table: {reason}.", zh="无法把“{file}”读成表格：{reason}。")


class BadMapping(InputError):
    words = Words(en="The columns do not fit their roles: {reason}.", zh="列与角色不匹配：{reason}。")


class NoRows(InputError):
    words = Words(
        en="No rows are left after cleaning ({read} read, {dropped} dropped). {hint}",
        zh="清洗之后没有剩下任何行（读入 {read} 行，丢弃 {dropped} 行）。{hint}",
    )


class TooLong(InputError):
    words = Words(
        en="The question has {tokens} tokens; this model takes at most {limit}. Shorten it.",
        zh="问题有 {tokens} 个 token，而该模型最多接受 {limit} 个。请缩短问题。",
    )


class Unsupported(InputError):
    words = Words(en="{reason}", zh="{reason}")


class AccessDenied(InputError):
    words = Words(
        en="'{id}' may not be downloaded from {host} yet: sign in there, accept its terms if it has any, and give a token.",
        zh="暂时无法从 {host} 下载“{id}”：请先在该网站登录，如有使用条款请先同意，并填写访问令牌（token）。",
    )


class OutsideFolder(InputError):
    words = Words(
        en="'{path}' lies outside the folder it must stay in ({folder}).",
        zh="“{path}”超出了允许的文件夹（{folder}）。",
    )


class NameTooLong(InputError):
    words = Words(
        en="'{name}' is too long for a name. Give a shorter one.", zh="“{name}”太长，不能用作名字，请换一个短一些的。"
    )


class Exists(InputError):
    words = Words(
        en="'{path}' exists already and is not empty. Choose another name or remove it first.",
        zh="“{path}”已经存在且不为空。请换一个名字，或先删除它。",
    )


class WorkError(TuneDeskError):
    words = Words(en="The work failed: {reason}.", zh="任务失败：{reason}。")


class DiskFull(WorkError):
    words = Words(
        en="The disk with {path} is full ({free} left). Free some room and try again; nothing already saved is lost.",
        zh="{path} 所在磁盘已满（剩余 {free}）。请腾出空间后重试；已保存的内容不会丢失。",
    )


class TooLittleRoom(WorkError):
    words = Words(
        en="'{name}' still needs {need}, but the disk with {path} has only {free} left. Free some room and try again.",
        zh="“{name}”还需要 {need}，但 {path} 所在磁盘只剩 {free}。请腾出空间后重试。",
    )


class Damaged(WorkError):
    words = Words(
        en="'{file}' arrived damaged (its size or hash is not what the hub announced). Try again later or from another hub.",
        zh="“{file}”下载后校验不一致（大小或哈希与模型库公布的不符）。请稍后重试，或换一个模型库。",
    )


class OutOfMemory(WorkError):
    words = Words(
        en="Not enough memory, even with one example at a time. Choose a smaller model, a shorter maximum length, or QLoRA.",
        zh="内存不足，即使每次只处理一条样本也放不下。请换小一些的模型、缩短最大长度，或改用 QLoRA。",
    )


class TooLittleMemory(WorkError):
    words = Words(
        en="Merging '{name}' needs {need} of memory, but only {free} is free. Close other programs and try again, or "
        "export the adapter alone.",
        zh="合并“{name}”需要 {need} 内存，但目前只有 {free} 可用。请关闭其他程序后重试，或只导出适配器。",
    )


class LossNotFinite(WorkError):
    words = Words(
        en="The loss became {value} at step {step}, so training stopped; the last good checkpoint is kept. The learning "
        "rate ({learning_rate}) is probably too high: try a tenth of it.",
        zh="第 {step} 步的损失变成了 {value}，训练已停止，最后一个正常的检查点已保留。学习率（{learning_rate}）"
        "很可能过高：请改为它的十分之一再试。",
    )


class DeviceLost(WorkError):
    words = Words(
        en="The GPU stopped answering ({reason}). The last checkpoint is kept: resume the run to go on. If it happens "
        "again, restart the computer.",
        zh="显卡停止了响应（{reason}）。最后一个检查点已保留：点击“继续”即可接着训练；如果再次发生，请重启电脑。",
    )


class WorkerDied(WorkError):
    words = Words(
        en="The training process ended unexpectedly ({reason}). The last checkpoint is kept: resume the run to go on.",
        zh="训练进程意外结束（{reason}）。最后一个检查点已保留：点击“继续”即可接着训练。",
    )


class WorkerHung(WorkError):
    words = Words(
        en="The training process gave no sign of life for {minutes} min and was ended. The last checkpoint is kept: "
        "resume the run to go on.",
        zh="训练进程已有 {minutes} 分钟没有任何动静，已将其结束。最后一个检查点已保留：点击“继续”即可接着训练。",
    )


class ServerDied(WorkError):
    words = Words(
        en="The generation process stopped ({reason}). Ask again: it will be started anew.",
        zh="生成进程已停止（{reason}）。请重新提问，它会自动重启。",
    )


class NetworkFailed(WorkError):
    words = Words(en="{host} could not be reached: {reason}.", zh="无法连接 {host}：{reason}。")


def from_record(record: dict) -> TuneDeskError:
    """The error that `record` describes. An unknown class name becomes a plain `WorkError`."""
    kinds = {kind.__name__: kind for kind in _family(TuneDeskError)}
    details = {k: Words(*v) if _is_words(v) else v for k, v in record["details"].items()}
    return kinds.get(record["error"], WorkError)(**details)


def _is_words(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def from_os_error(error: OSError, path: object) -> TuneDeskError:
    """A full disk as `DiskFull`, a name that no file can have as `NameTooLong`, anything else as `WorkError`, for an
    `OSError` met while reading or writing below `path`."""
    from engine.home import free_text

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(path=str(path), free=free_text(path))
    if error.errno == errno.ENAMETOOLONG:
        longest = max(str(error.filename or path).split(os.sep), key=len)
        return NameTooLong(name=f"{longest.lstrip('.')[:40]}…")
    return WorkError(reason=f"{path}: {error.strerror or error}")


def _family(kind: type[TuneDeskError]) -> list[type[TuneDeskError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in _family(child))]
