"""The data sets from the command line: list, make, verify, remove, fetch.

./pants run datasets:data -- list
./pants run datasets:data -- make follower-graph --size 1gb
./pants run datasets:data -- make follower-graph --size 1gb --to hdfs://localhost:9000/data
./pants run datasets:data -- make follower-graph --size 1gb --format parquet
./pants run datasets:data -- verify
./pants run datasets:data -- remove follower-graph --size 1gb
./pants run datasets:data -- fetch twitter7
./pants run datasets:data -- split rows.csv --to halves
./pants run datasets:data -- fetch nyc-yellow-taxi
./pants run datasets:data -- copy rows.csv s3://bucket/data/rows.csv

Exit codes: 0 done · 2 wrong usage or damaged data · 4 no room · 5 storage · 130, 143 interrupted.
"""

import contextlib
import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from studykit import storage
from studykit.cli import console, manners
from studykit.errors import DataError, UsageError

from study_data import (
    catalogue,
    copying,
    halves,
    keeping,
    listing,
    nesting,
    stores,
    twitter7,
    yellow_taxi,
)
from study_data.dataset import Located
from study_data.keeping import Entry

Name = Annotated[str, typer.Argument(metavar="NAME", help="A data set; `list` shows them.")]
SizeName = Annotated[str, typer.Option("--size", help="One of its sizes.")]
Store = Annotated[
    str | None,
    typer.Option(metavar="URI", envvar="STUDY_STORE", help="Where generated data sets are kept."),
]
Seed = Annotated[int, typer.Option("--data-seed", min=0, help="Seed of the data generator.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer, alone, as JSON.")]
Format = Annotated[
    str, typer.Option("--format", help="csv, or parquet: the same rows, for a study's --data.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

FETCHED = {"twitter7": twitter7, "nyc-yellow-taxi": yellow_taxi}

app = typer.Typer(
    help="Make, fetch, verify and remove the data sets of the studies.",
    epilog="Example: ./pants run datasets:data -- make follower-graph --size tiny",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command("list", epilog="Example: list --json")
def list_command(store: Store = None, as_json: Json = False, debug: Debug = False) -> None:
    """Show the data sets, their sizes and which of them the store has."""
    with manners(debug):
        place = store or stores.default_store()
        datasets = catalogue.DATASETS.values()
        if as_json:
            _print_json([listing.described(dataset, place) for dataset in datasets])
            return
        for dataset in datasets:
            console.print(listing.table(dataset, place))
        console.print(f"store: {place}", markup=False)


@app.command(epilog="Example: make follower-graph --size tiny --to /tmp/store")
def make(
    name: Name,
    size: SizeName,
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="A folder to make it in; default: the store.")
    ] = None,
    store: Store = None,
    format_: Format = "csv",
    data_seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Generate a data set, unless it is there already."""
    with manners(debug):
        dataset = catalogue.named(name, format_)
        if to is not None and to.endswith((dataset.ending or ".csv", ".gz")):
            raise UsageError(f"--to {to}: give a folder, it is named NAME/SIZE in it")
        place = to or store or stores.default_store()
        found = stores.locate(dataset, size, place, data_seed)
        _answer(found, as_json)


@app.command(epilog="Example: verify follower-graph --size tiny")
def verify(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Default: all.")] = None,
    size: Annotated[str | None, typer.Option("--size", help="Default: all in the store.")] = None,
    store: Store = None,
    format_: Format = "csv",
    data_seed: Seed = 0,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Read data sets again and compare their hashes with those that they were made with.

    --format says which file of a NAME and --size; without these, all formats are read.
    """
    with manners(debug):
        place = store or stores.default_store()
        good: list[tuple[Entry, Located]] = []
        damaged: list[DataError] = []
        for dataset, part, seed in _asked(name, size, format_, data_seed, place):
            with _collected(damaged):
                uri = stores.uri_of(dataset, part, place, seed)
                good.append(((dataset, part, seed), keeping.verify(dataset, part, uri, seed)))
                console.print(f"good: {uri}", markup=False)
        for dataset, sizes in nesting.groups(good):
            with _collected(damaged):
                nesting.check(dataset, sizes)
        if as_json:
            _print_json(
                {
                    "good": [dataclasses.asdict(found) for _, found in good],
                    "damaged": [{"uri": error.uri, "reason": error.reason} for error in damaged],
                }
            )
        if damaged:
            sys.exit(DataError.exit_code)


@app.command(epilog="Example: remove follower-graph --size tiny")
def remove(
    name: Name,
    size: SizeName,
    format_: Format = "csv",
    store: Store = None,
    data_seed: Seed = 0,
    debug: Debug = False,
) -> None:
    """Remove a data set from the store, damaged or not."""
    with manners(debug):
        dataset = catalogue.named(name, format_)
        uri = stores.uri_of(dataset, size, store or stores.default_store(), data_seed)
        removed = keeping.remove(dataset, size, uri)
        console.print(f"{'removed' if removed else 'was not there'}: {uri}", markup=False)


@app.command(epilog="Example: fetch twitter7")
def fetch(
    name: Name,
    handle: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="The data set on Kaggle; default: the papers'."),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="Copy it into this folder as well.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Download a published data set with its publisher's client; says how much room it needs."""
    with manners(debug):
        if name not in FETCHED:
            known = " and ".join(FETCHED)
            raise UsageError(f"'{name}' is not fetched: `fetch` knows {known}, `make` the others")
        source = FETCHED[name]
        uri = source.fetch(handle or source.HANDLE, to)
        if as_json:
            size = sum(storage.size(file) for file in storage.list_files(uri))
            _print_json({"name": name, "uri": uri, "bytes": size})
        else:
            console.print(f"{name}: {uri} (give it to a study as --data)", markup=False)


@app.command(epilog="Example: split rows.csv --to halves")
def split(
    uri: Annotated[str, typer.Argument(metavar="URI", help="A CSV file with a header.")],
    to: Annotated[
        str | None, typer.Option(metavar="URI", help="Folder of the halves (the file's own).")
    ] = None,
    debug: Debug = False,
) -> None:
    """Cut a file into half1.csv and half2.csv, of as many rows each."""
    with manners(debug):
        for half in halves.split(uri, to or uri.rpartition("/")[0] or "."):
            console.print(half, markup=False)


@app.command(epilog="Example: copy /tmp/edges.csv s3://bucket/data/edges.csv")
def copy(
    source: Annotated[str, typer.Argument(metavar="URI", help="A file, or a folder.")],
    target: Annotated[str, typer.Argument(metavar="URI", help="Where to; / at the end: into it.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Copy between stores, and read the copy again to compare its hash."""
    with manners(debug):
        copies = copying.copy(source, target)
        if as_json:
            _print_json(copies)
        for uri in copies:
            console.print(f"copied and verified: {uri}", markup=False)


def _asked(name: str | None, size: str | None, format_: str, seed: int, place: str) -> list[Entry]:
    if name is None and size is not None:
        raise UsageError("--size needs the NAME of a data set")
    dataset = None if name is None else catalogue.named(name, format_)
    if dataset is not None and size is not None:
        dataset.size(size)
        return [(dataset, size, seed)]
    found = [entry for entry in catalogue.present(place) if name in (None, entry[0].name)]
    if not found:
        console.print(f"nothing to verify in {place}", markup=False)
    return found


@contextlib.contextmanager
def _collected(damaged: list[DataError]) -> Iterator[None]:
    """What is damaged is said, and the rest verified all the same."""
    try:
        yield
    except DataError as error:
        damaged.append(error)
        console.print(f"damaged: {error}", markup=False, style="red")


def _answer(found: Located, as_json: bool) -> None:
    if as_json:
        _print_json(dataclasses.asdict(found))
        return
    console.print(
        f"{found.name}: {found.uri}\n{found.rows:,} rows, {found.bytes:,} bytes,"
        f" sha256 {found.sha256}",
        markup=False,
    )


def _print_json(content: Any) -> None:
    print(json.dumps(content, indent=1))


def main() -> None:
    app()


if __name__ == "__main__":
    main()
