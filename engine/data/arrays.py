"""A NumPy file that grows: written from the front while its length is not known yet. Read it with `np.load`."""

from pathlib import Path

import numpy as np


class Growing:
    """A one-dimensional `.npy` file written from the front; its length is filled in at the end."""

    def __init__(self, path: Path, dtype: type):
        self._file = open(path, "wb")  # noqa: SIM115 - closed by `close`
        self._dtype = np.dtype(dtype)
        self.count = 0
        self._header()

    def _header(self) -> None:
        # numpy pads the header so that a longer shape needs no more room
        descr = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": descr, "fortran_order": False, "shape": (self.count,)}
        np.lib.format.write_array_header_1_0(self._file, header)

    def add(self, values: list | np.ndarray) -> None:
        self._file.write(np.asarray(values, self._dtype).tobytes())
        self.count += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._header()
        self._file.close()
