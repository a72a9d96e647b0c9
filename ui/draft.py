"""What a page asks to see of its files, read from its fields: the table, what each column is for, the form, the cleaning."""

from dataclasses import dataclass

import gradio as gr

from engine.data import formats, roles
from engine.data.cleaning import Cleaning
from engine.data.table import Table
from engine.errors import NotFound
from engine.fields import validated
from engine.models.library import Model
from engine.training.config import TrainingParams
from engine.words import Words
from ui import reading, uploads
from ui.forms import Form
from ui.model_tab import chosen_model
from ui.page import Page, choices
from ui.reading import Reading
from ui.roles import Fields

MAX_LENGTH = TrainingParams.model_fields["max_length"].default
_FORM = Words("form of data set", "数据集格式")


@dataclass(frozen=True)
class Asked:
    source: Table
    format: str
    mapping: roles.Mapping
    cleaning: Cleaning
    model: Model
    limit: int  # tokens


class Draft:
    """The fields together. Give `components` as an event's inputs and the values it receives to `read`."""

    def __init__(
        self,
        page: Page,
        read: Reading,
        format: gr.Dropdown,
        limit: gr.Number,
        fields: Fields,
        cleaning: Form,
    ):
        self._fields, self._cleaning = fields, cleaning
        # The files and how they are read; then what becomes of them.
        self.files = [page.chosen, *read.components]
        self.components = [*self.files, format, limit, *fields.components, *cleaning.components]
        # Those that a person changes while the files stay the same.
        self.followed = [format, limit, *fields.components, *cleaning.components]

    def read(self, *values: object) -> Asked:
        """Raises:
        TuneDeskError: what of it cannot be.
        """
        files, (format, limit, *values) = values[: len(self.files)], values[len(self.files) :]
        format, at = checked_format(format), len(self._fields.components)
        return Asked(
            table(*files),
            format,
            self._fields.complete(list(values[:at]), format),
            validated(Cleaning, self._cleaning.settings(values[at:])),
            chosen_model(choices(files[0])["model"]),
            int(limit) if isinstance(limit, int | float) and limit >= 1 else MAX_LENGTH,
        )


def key_of(chosen: object) -> str:
    """The files that a page has chosen."""
    return choices(chosen)["file"] or uploads.DEMO


def table(chosen: object, *read: object) -> Table:
    """The table in the files that a page has chosen, read as its fields say (`Reading`)."""
    return uploads.table(key_of(chosen), reading.told(read))


def checked_format(key: object) -> str:
    """Raises:
    NotFound: no form of data set is called so.
    """
    if key not in formats.keys():  # noqa: SIM118 - a function of the module, not a dict's
        raise NotFound(kind=_FORM, name=str(key), hint=Words("Choose one of the list.", "请从列表中选择。"))
    return str(key)
