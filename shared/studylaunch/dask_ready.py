"""Wait until the workers of a Dask scheduler have so many threads.

python -m studylaunch.dask_ready tcp://127.0.0.1:8786 4
"""

from studykit.engines import dask_cluster

from studylaunch import ready


def threads(address: str) -> int:
    with dask_cluster.join(address) as client:
        return dask_cluster.threads(client)


if __name__ == "__main__":
    ready.main(threads)
