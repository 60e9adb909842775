"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m lesion_classification.peers torchvision --size tiny --weights random --workers 2

`torchvision` computes the features as its documentation has it: a DataLoader of so many processes,
and the network as it comes, float32, in one process of workers × threads threads. polars does one
step, the reading of the table.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from studykit import columnar
from studykit.errors import ResourceError
from studykit.records import Check
from studykit.run import Outcome, Run
from studysweep import peers

from lesion_classification import lesions, oracle, pictures, resnet, spreadsheets
from lesion_classification.inference import DEVIATION, MEAN
from lesion_classification.layout import uri_of
from lesion_classification.study import STUDY

BATCH = 32


def with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        import polars as pl

        tables = lesions.tables_in(run.dataset.uri)
        if any(map(spreadsheets.is_spreadsheet, tables)):
            raise ResourceError("polars is compared on CSV and Parquet only")

    with run.phase("load", "reading the table"):
        table = pl.concat(
            pl.read_parquet(uri) if columnar.is_parquet(uri) else pl.read_csv(uri) for uri in tables
        )

    def check() -> Check:
        expected = lesions.read(run.dataset.uri, run.parameters.images).rows
        return Check(
            passed=table.height == expected, oracle="rows of the table", detail={"rows": expected}
        )

    return peers.step(run, {"rows": table.height}, check)


class Images:
    """torch's data set: a picture as the network wants it."""

    def __init__(self, table: lesions.Lesions, side: int) -> None:
        self._folder, self._paths, self._side = table.folder, table.paths, side

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, place: int) -> Any:
        import torch

        uri = uri_of(self._folder, self._paths[place])
        with open(uri.removeprefix("file://"), "rb") as file:
            pixels = pictures.decode(file.read(), uri, self._side, spare=self._side)
        scaled = (pixels.astype(np.float32) / 255 - MEAN) / DEVIATION
        return torch.from_numpy(scaled.astype(np.float32)).permute(2, 0, 1).contiguous()


def with_torchvision(run: Run) -> Outcome:
    threads = run.options.worker_count * run.options.threads
    with run.phase("start", "loading ResNet50"):
        import torch
        from torch.utils.data import DataLoader

        peers.local_files(run)
        torch.set_num_threads(threads)
        table = lesions.read(run.dataset.uri, run.parameters.images)
        network = resnet.network(resnet.load(run.parameters.weights, run.options.seed))
        images: Any = Images(table, run.parameters.side)
        loader = DataLoader(images, BATCH, num_workers=threads)

    with (
        run.phase("compute", f"features of {len(table)} images by torchvision"),
        torch.inference_mode(),
    ):
        found = torch.cat([network(batch) for batch in loader]).numpy()
    quality = {"images": len(table), "features": found.shape[1]}
    return peers.step(run, quality, lambda: oracle.check_features(run, table, found))


PEERS: dict[str, Callable[[Run], Outcome]] = {
    "polars": with_polars,
    "torchvision": with_torchvision,
}


main = peers.entry_point(STUDY, PEERS)

if __name__ == "__main__":
    main()
