"""Data-parallel training of a network by ranks that an engine has placed.

The one idea: the ranks take the steps of one process. The order of the rows comes from the seed,
every batch is cut over the ranks, and gradients, losses and statistics are those of all of it.

`batches` (who computes what), `process_group` (sums over the ranks), `gradients`, `batch_norm`,
`learner` (the steps of one rank), `checkpoints`, `member` (a rank's process), `ranks` (the driver);
an engine's way of placing ranks each in `local_ranks`, `ray_ranks`, `dask_ranks`.
"""
