"""Records that a sweep takes over although a run now would differ: other code, libraries or data.

They are reused all the same, for a sweep goes on where one stopped; but it is said.
"""

from collections.abc import Iterator, Mapping, Sequence

from studykit import machine
from studykit.options import Study
from studykit.records import DatasetInfo, Record

SHOWN_DIGITS = 9


def said(
    study: Study, kept: Sequence[Record], inputs: Mapping[str, DatasetInfo], commit: str | None
) -> str | None:
    """One line on the kept records that differ from what a run now would leave, or None.

    `inputs` are the data as they now are, {URI: …}; data that is not in it is not compared.
    """
    versions = machine.versions(study.packages)
    found = [list(_differences(record, versions, inputs, commit)) for record in kept]
    differing = sum(map(bool, found))
    if not differing:
        return None
    what = ", ".join(dict.fromkeys(difference for of_one in found for difference in of_one))
    return f"{differing} of the {len(kept)} reused records differ: {what}. --fresh runs all again"


def _differences(
    record: Record,
    versions: Mapping[str, str],
    inputs: Mapping[str, DatasetInfo],
    commit: str | None,
) -> Iterator[str]:
    # Outside a checkout, and of a run that did not come to look, there is nothing to compare.
    if record.commit is not None and commit is not None and not _same(record.commit, commit):
        yield f"commit {_brief(record.commit)} (now {_brief(commit)})"
    for package, version in record.versions.items():
        if versions.get(package, version) != version:
            yield f"{package} {version} (now {versions[package]})"
    data, now = record.dataset, inputs.get(record.dataset.uri)
    if now is None:
        return
    if data.sha256 is not None and now.sha256 is not None and data.sha256 != now.sha256:
        yield f"{data.name} {data.sha256[:SHOWN_DIGITS]} (now {now.sha256[:SHOWN_DIGITS]})"
    elif data.bytes != now.bytes:
        yield f"{data.name} of {data.bytes:,} bytes (now {now.bytes:,})"


def _same(one: str, other: str) -> bool:
    """`+` says that files differ from the commit; nobody knows in what, so two are not the same."""
    return one == other and not one.endswith("+")


def _brief(commit: str) -> str:
    return commit[:SHOWN_DIGITS] + "+" * commit.endswith("+")
