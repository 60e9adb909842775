"""How much of what an engine's workers hold went to disk for want of memory."""

from typing import Any


def of_ray() -> int:
    """Bytes that the object stores of all nodes have written."""
    import ray

    # Ray tells them nowhere else but on its dashboard, which a run does not start.
    from ray._private.internal_api import get_memory_info_reply, get_state_from_address

    store = get_memory_info_reply(
        get_state_from_address(ray.get_runtime_context().gcs_address)
    ).store_stats
    return int(store.spilled_bytes_total)


def of_dask(client: Any) -> int:
    """Bytes that the workers of a `distributed.Client` have there at this moment."""

    def on_disk(dask_worker: Any) -> int:
        spilled = getattr(dask_worker.data, "spilled_total", None)
        return 0 if spilled is None else int(spilled.disk)

    return sum(client.run(on_disk).values())
