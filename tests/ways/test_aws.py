"""infra/aws: Ray's launcher takes the cluster file, and what it then asks of AWS is what the
policies allow. No AWS is asked: every call of botocore is answered here."""

import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
import yaml  # type: ignore[import-untyped]  # Its types are a package of their own.
from botocore.validate import ParamValidator
from ray.autoscaler._private import util
from ray.autoscaler._private.aws import config as aws_config
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider

FOLDER = Path(__file__).resolve().parents[2] / "infra/aws"
FILLED = {
    "REGION": "eu-central-1", "ACCOUNT": "123456789012", "IMAGE": "ami-0123456789abcdef0",
    "SUBNET": "subnet-1", "GROUP": "sg-1", "BUCKET": "course", "STUDY": "twitter-pagerank",
}  # fmt: skip
EC2 = "arn:aws:ec2:eu-central-1:123456789012"
OURS = {"aws:ResourceTag/ray-cluster-name": "study"}
Call = tuple[str, dict[str, Any]]


def filled(name: str) -> str:
    text = (FOLDER / name).read_text()
    for word, value in FILLED.items():
        text = text.replace(word, value)
    return text


def statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(filled(name))["Statement"]
    return found


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def holds(condition: dict[str, Any], context: dict[str, str]) -> bool:
    """Whether what a request says meets a condition; what it leaves unsaid does not."""
    matches = {
        "StringEquals": lambda given, wanted: given == wanted,
        "StringLike": fnmatch.fnmatchcase,
    }
    return all(
        key in context and any(matches[operator](context[key], one) for one in many(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def allows(policy: str, action: str, resource: str, **context: str) -> bool:
    """Whether IAM would, in so far as these policies need its rules: there is no denial."""
    return any(
        action in many(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, one) for one in many(statement["Resource"]))
        and holds(statement.get("Condition", {}), context)
        for statement in statements(policy)
    )


@pytest.fixture
def cluster() -> dict[str, Any]:
    prepared: dict[str, Any] = util.prepare_config(yaml.safe_load(filled("cluster.yaml")))
    return prepared


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """What is asked of AWS, with answers of an account that has one subnet, group and instance."""
    instance = {
        "InstanceId": "i-1", "State": {"Name": "running"}, "StateReason": {"Message": ""},
        "Tags": [{"Key": "ray-cluster-name", "Value": "study"}],
    }  # fmt: skip
    subnet = {
        "SubnetId": "subnet-1", "VpcId": "vpc-1", "State": "available",
        "MapPublicIpOnLaunch": True, "AvailabilityZone": "eu-central-1a",
    }  # fmt: skip
    kind = {
        "InstanceType": "m7i.large",
        "VCpuInfo": {"DefaultVCpus": 2},
        "MemoryInfo": {"SizeInMiB": 8192},
    }
    answers: dict[str, dict[str, Any]] = {
        "DescribeSubnets": {"Subnets": [subnet]},
        "DescribeSecurityGroups": {"SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1"}]},
        "DescribeInstances": {"Reservations": [{"Instances": [instance]}]},
        "RunInstances": {"Instances": [instance]},
        "DescribeInstanceTypes": {"InstanceTypes": [kind]},
        "CreateTags": {},
        "TerminateInstances": {},
    }
    made: list[Call] = []

    def answer(client: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        made.append((f"{client.meta.service_model.signing_name}:{operation}", parameters))
        return answers[operation]

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", answer)
    yield made


def test_rays_launcher_takes_the_cluster_file(cluster: dict[str, Any]) -> None:
    util.validate_config(cluster)
    assert not [word for word in FILLED if f" {word}" in yaml.dump(cluster)]


def test_ec2_takes_what_the_nodes_are(cluster: dict[str, Any]) -> None:
    model = boto3.client("ec2", region_name="eu-central-1").meta.service_model
    shape = model.operation_model("RunInstances").input_shape
    for kind in cluster["available_node_types"].values():
        node = {name: value for name, value in kind["node_config"].items() if name != "SubnetIds"}
        report = ParamValidator().validate({**node, "MinCount": 1, "MaxCount": 1}, shape)
        assert not report.has_errors(), report.generate_report()


def test_what_the_launcher_asks_is_allowed(cluster: dict[str, Any], calls: list[Call]) -> None:
    AWSNodeProvider.fillout_available_node_types_resources(cluster)
    config = aws_config.bootstrap_aws(cluster)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    node = config["available_node_types"]["worker"]["node_config"]
    provider.create_node(node, {"ray-node-type": "worker"}, 2)
    assert provider.non_terminated_nodes({}) == ["i-1"]
    provider._create_tags({("ray-node-status", "up-to-date"): ["i-1"]})
    provider.terminate_node("i-1")
    allowed = {
        action
        for statement in statements("policy-launcher.json")
        for action in many(statement["Action"])
    }
    # Roles are handed over by RunInstances; it is no call of its own.
    assert {action for action, _ in calls} == allowed - {"iam:PassRole"}
    (run,) = [parameters for action, parameters in calls if action == "ec2:RunInstances"]
    tags = {
        f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in run["TagSpecifications"][0]["Tags"]
    }
    launch = {**tags, "ec2:InstanceType": run["InstanceType"]}
    assert allows("policy-launcher.json", "ec2:RunInstances", f"{EC2}:instance/i-1", **launch)
    parts = [
        f"arn:aws:ec2:eu-central-1::image/{run['ImageId']}",
        f"{EC2}:subnet/{run['SubnetId']}",
        f"{EC2}:key-pair/{run['KeyName']}",
        *(f"{EC2}:security-group/{group}" for group in run["SecurityGroupIds"]),
    ]
    for part in parts:
        assert allows("policy-launcher.json", "ec2:RunInstances", part), part


def test_instances_of_others_are_out_of_reach() -> None:
    other = f"{EC2}:instance/i-2"
    for action in ("ec2:TerminateInstances", "ec2:CreateTags"):
        assert allows("policy-launcher.json", action, other, **OURS)
        assert not allows("policy-launcher.json", action, other)
        theirs = {"aws:ResourceTag/ray-cluster-name": "theirs"}
        assert not allows("policy-launcher.json", action, other, **theirs)
    large = {"aws:RequestTag/ray-cluster-name": "study", "ec2:InstanceType": "p5.48xlarge"}
    assert not allows("policy-launcher.json", "ec2:RunInstances", other, **large)
    admin = "arn:aws:iam::123456789012:role/admin"
    to_ec2 = {"iam:PassedToService": "ec2.amazonaws.com"}
    assert not allows("policy-launcher.json", "iam:PassRole", admin, **to_ec2)


@pytest.mark.parametrize(
    ("action", "key", "expected"),
    [
        ("s3:GetObject", "data/edges.csv", True),
        ("s3:PutObject", "data/edges.csv", False),
        ("s3:DeleteObject", "data/edges.csv", False),
        ("s3:PutObject", "results/a.json", True),
        ("s3:GetObject", "private/grades.csv", False),
    ],
)
def test_data_are_read_and_results_are_written(action: str, key: str, expected: bool) -> None:
    assert allows("policy-data.json", action, f"arn:aws:s3:::course/{key}") is expected
    assert not allows("policy-data.json", action, f"arn:aws:s3:::other/{key}")


@pytest.mark.parametrize("policy", ["policy-data.json", "policy-launcher.json"])
def test_no_star_but_where_aws_has_no_narrower_resource(policy: str) -> None:
    for statement in statements(policy):
        actions = many(statement["Action"])
        assert not [action for action in actions if "*" in action]
        if "*" in many(statement["Resource"]):
            # EC2's descriptions take no resource; a region is all that they can be held to.
            assert all(action.startswith("ec2:Describe") for action in actions)
            assert statement["Condition"] == {
                "StringEquals": {"aws:RequestedRegion": "eu-central-1"}
            }
