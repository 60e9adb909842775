"""Wait until a Ray cluster has so many cores.

python -m studylaunch.ray_ready 127.0.0.1:6379 4
"""

import logging

import ray

from studylaunch import ready


def cores(address: str) -> int:
    if not ray.is_initialized():
        ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False)
    return int(ray.cluster_resources().get("CPU", 0))


if __name__ == "__main__":
    ready.main(cores)
