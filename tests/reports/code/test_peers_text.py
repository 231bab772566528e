"""The text of the code to paste for loaders of other libraries, which are not installed here."""

from __future__ import annotations

import ast

import pytest

from feedbench.pipelines import catalog
from tests.reports.code.test_training_code import code


@pytest.mark.parametrize("name", catalog.PEERS)
def test_every_loader_of_another_library_has_code(name: str) -> None:
    ast.parse(code(name))


def test_the_workers_of_torch_import_neither_keras_nor_the_list_of_images() -> None:
    for name in ("torch_dataloader", "webdataset"):
        before, _, main = code(name).partition('if __name__ == "__main__":\n')
        assert "import keras" not in before
        assert "os.walk" not in before
        assert main.startswith("    import keras  # here")
        assert 'if __name__ == "__main__"' not in code(f"{name}:workers=0")
