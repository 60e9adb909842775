"""infra/kubernetes: the manifests are what the schemas of Kubernetes, KubeRay and Dask's operator
say, with no word that they do not know, and no secret."""

import json
import os
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # Its types are a package of their own.
import pytest
import yaml  # type: ignore[import-untyped]  # As well.

FOLDER = Path(__file__).resolve().parents[2] / "infra/kubernetes"
MANIFESTS = ("dask.yaml", "ray.yaml", "torch.yaml")
OPERATORS = ("RayJob", "DaskJob")
KUBERAY_CRD = os.environ.get("KUBERAY_CRD")
"""KubeRay's ray.io_rayjobs.yaml, where somebody has it: no package index does."""
CORE = {
    "Service": "io.k8s.api.core.v1.Service",
    "NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    "Job": "io.k8s.api.batch.v1.Job",
}
Object = dict[str, Any]


@cache
def schemas() -> Path:
    done = subprocess.run([FOLDER / "schemas"], capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"infra/kubernetes/schemas: {done.stderr.strip().splitlines()[-1]}")
    return Path(done.stdout.strip())


def documents(name: str) -> list[Object]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def every_document() -> list[Object]:
    return [document for name in MANIFESTS for document in documents(name)]


def found(kind: str) -> Object:
    (document,) = [one for one in every_document() if one["kind"] == kind]
    return document


def pods(node: Any) -> list[Object]:
    """Every description of a pod in a document: whatever has containers."""
    if isinstance(node, list):
        return [pod for item in node for pod in pods(item)]
    if not isinstance(node, dict):
        return []
    here = [node] if "containers" in node else []
    return here + [pod for value in node.values() for pod in pods(value)]


def strict(schema: Any) -> Any:
    """The same, which takes no property that it does not name: a cluster would drop it unsaid."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    open_ended = "additionalProperties" in made or made.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(made.get("properties"), dict) and "type" in made and not open_ended:
        made["additionalProperties"] = False
    if made.pop("x-kubernetes-int-or-string", False):
        made = {"type": ["integer", "string"]}
    return made


@cache
def core() -> Object:
    definitions: Object = strict(json.loads((schemas() / "_definitions.json").read_text())["$defs"])
    return definitions


def check(value: Object, definition: str) -> None:
    jsonschema.Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": core()}).validate(
        value
    )


@cache
def shape(kind: str) -> Object:
    """What an operator takes, as its definition of a resource says."""
    if kind == "RayJob":
        if KUBERAY_CRD is None:
            pytest.skip("KUBERAY_CRD names no definition of a RayJob: its pods alone are checked")
        file = Path(KUBERAY_CRD)
    else:
        file = schemas() / "daskjob.yaml"
    # A megabyte, which the loader in Python takes ten seconds for.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    definition = yaml.load(file.read_text(), Loader=loader)["spec"]
    group, _, version = found(kind)["apiVersion"].partition("/")
    assert (definition["group"], definition["names"]["kind"]) == (group, kind)
    (schema,) = [one["schema"] for one in definition["versions"] if one["name"] == version]
    made: Object = strict(schema["openAPIV3Schema"])
    # Every object has these, which a definition does not repeat.
    made["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
    return made


def check_by_operator(document: Object) -> None:
    jsonschema.Draft202012Validator(shape(document["kind"])).validate(document)


@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_takes_every_object_and_every_pod(name: str) -> None:
    for document in documents(name):
        if document["kind"] in CORE:
            check(document, CORE[document["kind"]])
        for pod in pods(document):
            check(pod, "io.k8s.api.core.v1.PodSpec")


@pytest.mark.parametrize("kind", OPERATORS)
def test_the_operators_take_their_jobs(kind: str) -> None:
    check_by_operator(found(kind))


@pytest.mark.parametrize("kind", OPERATORS)
def test_a_word_that_an_operator_does_not_know_is_found(kind: str) -> None:
    wrong = {**found(kind), "spec": {**found(kind)["spec"], "shutDownAfterJobFinishes": True}}
    with pytest.raises(jsonschema.ValidationError, match="shutDownAfterJobFinishes"):
        check_by_operator(wrong)


def test_a_word_that_kubernetes_does_not_know_is_found() -> None:
    (pod,) = pods(found("Job"))
    with pytest.raises(jsonschema.ValidationError, match="memmory"):
        check({**pod, "memmory": "8Gi"}, "io.k8s.api.core.v1.PodSpec")


def test_every_container_has_its_own_cores_and_memory_and_one_thread_a_worker() -> None:
    containers = [one for pod in pods(every_document()) for one in pod["containers"]]
    assert len(containers) == 6
    for container in containers:
        resources = container["resources"]
        assert resources["requests"] == resources["limits"]
        assert set(resources["limits"]) == {"cpu", "memory"}
        assert {"name": "OMP_NUM_THREADS", "value": "1"} in container["env"]


def test_as_many_ranks_and_workers_as_cores() -> None:
    torch, dask, ray = found("Job")["spec"], found("DaskJob")["spec"], found("RayJob")["spec"]
    (ranks,) = pods(torch)
    (command,) = ranks["containers"][0]["args"]
    assert f"--nnodes {torch['completions']} --nproc-per-node 2 " in command
    assert torch["completions"] == torch["parallelism"]
    assert f"{found('Job')['metadata']['name']}-0.{ranks['subdomain']}:29400" in command
    (run,) = dask["job"]["spec"]["containers"][0]["args"]
    assert len(re.findall(r"wait_for_workers\(4,|--workers 4 ", run)) == 2
    assert dask["cluster"]["spec"]["worker"]["replicas"] * 2 == 4
    (group,) = ray["rayClusterSpec"]["workerGroupSpecs"]
    cores = int(pods(group)[0]["containers"][0]["resources"]["limits"]["cpu"])
    assert f"--workers {group['replicas'] * cores} " in ray["entrypoint"]


def test_keys_come_from_a_secret_that_is_not_here() -> None:
    assert not [one for one in every_document() if one["kind"] == "Secret"]
    text = "".join((FOLDER / name).read_text() for name in MANIFESTS)
    assert not re.search(r"AKIA|AWS_SECRET|AWS_ACCESS|password:|token:", text)
    (ray,) = {found("RayJob")["spec"]["rayClusterSpec"]["authOptions"]["mode"]}
    assert ray == "token"
