"""A training comes back as it was, or is refused in one line."""

import pickle

import pytest
import torch
from studykit.errors import DataError, StorageError, one_line
from studytrain import checkpoints
from studytrain.checkpoints import Checkpoint
from studytrain.local_ranks import LocalRanks
from training_ranks import OF, SmallRank, plan, run


@pytest.fixture
def trained():
    ranks = LocalRanks(1)
    return run(ranks, plan(epochs=2))


def test_a_round_trip_keeps_every_bit(tmp_path):
    rank = SmallRank(torch.float64)
    history = [rank.epoch(1), rank.epoch(2)]
    uri = str(tmp_path / "folder" / "model.ckpt")
    checkpoints.write(uri, checkpoints.packed(Checkpoint(OF, history, rank.state())))
    found = checkpoints.unpacked(checkpoints.read(uri, OF, 2))
    assert found.history == history
    torch.testing.assert_close(dict(found.state), rank.state(), rtol=0, atol=0)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["model.ckpt"]


def test_trained_on_it_is_the_same_as_undisturbed(trained):
    ranks = LocalRanks(1)
    whole = run(ranks, plan(epochs=4))
    told = []
    resumed = run(
        ranks,
        plan(
            begin=trained.checkpoint, told=lambda history, left: told.append((len(history), left))
        ),
    )
    assert resumed.history == whole.history
    assert [epoch for epoch, _ in told] == [3, 4]
    assert told[0][1] > 0 and told[1][1] == 0


@pytest.mark.parametrize(
    ("of", "epochs", "words"),
    [
        (OF | {"model": "large"}, 2, "a checkpoint of model small, this run is of large"),
        (OF | {"seed": 8}, 2, "a checkpoint of seed 7, this run is of 8"),
        (OF | {"side": 8}, 2, "a checkpoint of side None, this run is of 8"),
        ({"model": "small"}, 2, "a checkpoint of seed 7, this run is of None"),
        (OF, 1, "2 epochs are trained already, 1 are asked for"),
    ],
)
def test_one_of_something_else_is_refused(trained, tmp_path, of, epochs, words):
    uri = str(tmp_path / "model.ckpt")
    checkpoints.write(uri, trained.checkpoint)
    with pytest.raises(DataError) as refused:
        checkpoints.read(uri, of, epochs)
    assert str(refused.value) == f"{uri}: {words}" == one_line(refused.value)


def test_a_state_of_other_layers_is_refused(trained):
    found = checkpoints.unpacked(trained.checkpoint)
    model = dict(list(found.state["model"].items())[1:])
    other = Checkpoint(found.of, found.history, {**found.state, "model": model})
    ranks = LocalRanks(1)
    with pytest.raises(DataError, match="does not fit the model"):
        run(ranks, plan(begin=checkpoints.packed(other)))


class Evil:
    def __reduce__(self):
        return print, ("code that a file has brought",)


def test_damaged_and_foreign_files_are_refused_and_run_nothing(trained, tmp_path, capsys):
    whole = trained.checkpoint.tobytes()
    torch.save(Evil(), tmp_path / "evil")
    contents = [b"", b"no such thing", whole[: len(whole) // 2], pickle.dumps(Evil(), 2)]
    for content in [*contents, (tmp_path / "evil").read_bytes()]:
        path = tmp_path / "model.ckpt"
        path.write_bytes(content)
        with pytest.raises(DataError, match="no checkpoint of a training"):
            checkpoints.read(str(path), OF, 2)
    assert "brought" not in capsys.readouterr().out


def test_a_missing_one_is_an_error_of_storage(tmp_path):
    with pytest.raises(StorageError, match="missing"):
        checkpoints.read(str(tmp_path / "missing"), OF, 2)
