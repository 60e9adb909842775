"""From nothing to a cluster of three hosts, and back: infra/lab, then infra/cluster's playbooks."""

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import three_hosts
from programs import GREETED, HDFS, JOIN, SCAN, STATE
from three_hosts import HOSTS, PRIVATE, PUBLIC, STRANGER, Lab

OF_THE_SYSTEM = ("upper/var/log/", "upper/var/lib/systemd/", "upper/var/cache/")
"""What a host writes by itself."""
SECRETS = "/etc/study/ray.token /etc/study/dask/*.key /home/study/.ssh/id_ed25519 /etc/wireguard/*"
ACCOUNTS = {
    f"upper/etc/{name}{end}"
    for name in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid")
    for end in ("", "-")
}
"""Files of users, and what they were before a change, which `useradd` keeps."""

PACKAGE = three_hosts.STUDY.replace("-", "_")
CODE = "/opt/study/code-"
"""Where the playbook brings it; what follows is its sum."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Lab]:
    """A lab with the cluster of site.yml; destroyed again, with the hosts as they were before."""
    with three_hosts.running() as lab:
        files = {host: lab.files(host) for host in HOSTS}
        states = {host: lab.on(host, STATE) for host in HOSTS}
        lab.playbook("site.yml", *three_hosts.SERVICES)
        yield lab
        lab.playbook("destroy.yml", *three_hosts.SERVICES)
        for host in HOSTS:
            assert lab.on(host, STATE) == states[host]
            assert left(lab.files(host) - files[host]) == set()


def left(files: set[str]) -> set[str]:
    return {path for path in files - ACCOUNTS if not path.startswith(OF_THE_SYSTEM)}


def test_running_the_playbook_again_changes_nothing(cluster: Lab) -> None:
    counts = cluster.playbook("site.yml", *three_hosts.SERVICES)
    assert {host: count["changed"] for host, count in counts.items()} == dict.fromkeys(HOSTS, 0)


def test_hosts_reach_each_other_by_name_and_by_ssh(cluster: Lab) -> None:
    for host in HOSTS:
        loop = f"for host in {' '.join(HOSTS)}; do ping -c1 $host >&2; ssh $host hostname; done"
        assert cluster.on(host, f"su study -c '{loop}'").split() == list(HOSTS)


def test_the_inner_host_goes_out_under_the_gateways_address(cluster: Lab) -> None:
    listen = (
        "import socket, subprocess, sys\n"
        f"server = socket.create_server(('{STRANGER}', 0))\n"
        "server.settimeout(20)\n"
        "code = f'import socket; socket.create_connection({server.getsockname()}, 10)'\n"
        "python = ['exec', 'inner', '/usr/bin/python3', '-c', code]\n"
        "subprocess.run([*sys.argv[1:], *python], check=True)\n"
        "print(server.accept()[1][0])"
    )
    lab = (three_hosts.ROOT / "infra/lab/lab", "--name", cluster.name)
    assert cluster.do("control", "/usr/bin/python3", "-c", listen, *lab) == f"{PUBLIC['gateway']}\n"


def test_from_outside_ssh_alone_answers(cluster: Lab) -> None:
    """WireGuard, the other one, answers nobody without a key."""
    with ThreadPoolExecutor() as threads:
        gateway = threads.submit(cluster.python, "outside", SCAN, PUBLIC["gateway"])
        outside = threads.submit(
            cluster.do, "control", "/usr/bin/python3", "-c", SCAN, PUBLIC["outside"]
        )
        # The same scan finds what is there for who belongs here.
        private = threads.submit(cluster.python, "inner", SCAN, PRIVATE["gateway"])
    assert gateway.result() == "22\n"
    assert outside.result() == "22\n"
    assert {"22", "6379", "8786", "9000", "9870"} <= set(private.result().split())


def test_a_stranger_reaches_no_inner_host_by_a_route_of_its_own(cluster: Lab) -> None:
    connect = f"import socket; socket.create_connection(('{PRIVATE['inner']}', 22), 3)"
    route = ("ip", "route", "replace", PRIVATE["inner"], "via", PUBLIC["gateway"])
    cluster.do("control", *route)
    try:
        assert "timed out" in cluster.call("control", "/usr/bin/python3", "-c", connect).stderr
    finally:
        cluster.do("control", "ip", "route", "delete", PRIVATE["inner"])
    cluster.python("outside", connect)


def test_what_one_host_writes_to_hdfs_another_reads(cluster: Lab) -> None:
    state = "http://10.77.0.1:9870/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
    answer = cluster.python(
        "gateway",
        "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())",
        state,
    )
    assert json.loads(answer)["beans"][0]["NumLiveDataNodes"] == 3
    written = cluster.study("inner", HDFS, "write")
    assert written.returncode == 0, written.stderr
    read = cluster.study("outside", HDFS, "read")
    assert read.returncode == 0, read.stderr
    assert json.loads(read.stdout) == [2, True]


def test_a_page_comes_through_a_tunnel(cluster: Lab) -> None:
    tunnel = "exec infra/tunnel -F $STUDY_LAB/ssh_config root@gateway hdfs"
    argv = (three_hosts.ROOT / "infra/lab/lab", "--name", cluster.name, "control")
    read = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"
    with subprocess.Popen(
        [*argv, "bash", "-c", tunnel], cwd=three_hosts.ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            url, _, _ = process.stdout.readline().partition(" ")
            page = cluster.do("control", "/usr/bin/python3", "-c", read, url)
        finally:
            process.terminate()
    assert "Hadoop:service=NameNode" in page
    assert process.returncode == 143
    wrong = cluster.call("control", three_hosts.ROOT / "infra/tunnel", "root@gateway", "12x")
    assert (wrong.returncode, "expected hdfs" in wrong.stderr) == (2, True)


def test_ray_works_on_all_hosts_and_finds_the_code_there(cluster: Lab) -> None:
    code = JOIN + (
        "import time\n"
        "@ray.remote(num_cpus=1, scheduling_strategy='SPREAD')\n"
        "def where():\n"
        f"    from {PACKAGE} import study\n"
        "    time.sleep(2)\n"
        f"    assert study.__file__.startswith('{CODE}'), study.__file__\n"
        "    return ray.util.get_node_ip_address()\n"
        "print(*sorted(ray.get([where.remote() for _ in range(3)], timeout=120)))\n"
    )
    done = cluster.study("inner", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sorted(PRIVATE.values())


def test_ray_refuses_who_has_not_its_token(cluster: Lab) -> None:
    # Ray would try again for 20 seconds.
    soon = {"RAY_NUM_REDIS_GET_RETRIES": "2"}
    none = {"RAY_AUTH_MODE": "disabled", **soon}
    another = {"RAY_AUTH_TOKEN": "0" * 64, "RAY_AUTH_TOKEN_PATH": "", **soon}
    with ThreadPoolExecutor() as threads:
        for done in threads.map(
            lambda variables: cluster.study("inner", JOIN + "print('joined')", **variables),
            (none, another),
        ):
            assert done.returncode != 0
            assert "joined" not in done.stdout
            assert "nauthenticated" in done.stderr or "token" in done.stderr, done.stderr


def test_dask_works_on_all_hosts_and_finds_the_code_there(cluster: Lab) -> None:
    code = (
        "from distributed import Client\n"
        "def where(dask_worker):\n"
        f"    from {PACKAGE} import study\n"
        f"    assert study.__file__.startswith('{CODE}'), study.__file__\n"
        "    return dask_worker.ip\n"
        "with Client('tls://10.77.0.1:8786', timeout=60) as client:\n"
        "    print(*sorted(client.run(where).values()))\n"
    )
    done = cluster.study("inner", code, DASK_CONFIG="/etc/study/dask/dask.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sorted(PRIVATE.values())


def test_dask_refuses_who_has_no_certificate_of_its_authority(cluster: Lab) -> None:
    """By TLS alone, without Dask's client: the scheduler greets, or says what it misses."""
    cluster.on(
        "inner",
        "cd /tmp && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        " -subj /CN=inner -keyout own.key -out own.pem 2>/dev/null",
    )
    host = ("/etc/study/dask/host.pem", "/etc/study/dask/host.key")
    assert cluster.python("inner", GREETED, *host) == "greeted\n"
    assert cluster.python("inner", GREETED, "/tmp/own.pem", "/tmp/own.key") == (
        "TLSV1_ALERT_UNKNOWN_CA\n"
    )
    assert "CERTIFICATE_REQUIRED" in cluster.python("inner", GREETED)


def test_no_secret_can_be_read_by_others(cluster: Lab) -> None:
    token = cluster.on("gateway", "cat /etc/study/ray.token")
    for host in HOSTS:
        modes = set(cluster.on(host, f"shopt -s nullglob; stat -c %a {SECRETS}").split())
        assert modes == {"600"}
        said = "grep -rlF --exclude=ray.token -f /etc/study/ray.token /etc /var/log /var/lib/study"
        assert cluster.on(host, f"{said} || true") == ""
        assert token not in cluster.on(host, "journalctl --no-pager")


def test_a_link_that_was_cut_works_again_when_it_is_healed(cluster: Lab) -> None:
    reach = ("exec", "inner", "ping", "-qc1", "-W2", "outside")
    cluster.do("cut", "gateway", "outside")
    assert cluster.call(*reach).returncode == 1
    cluster.do("heal", "gateway", "outside")
    cluster.do(*reach)


def test_a_host_that_was_killed_comes_back_with_its_services(cluster: Lab) -> None:
    cluster.do("kill", "outside")
    assert cluster.call("exec", "outside", "true").returncode == 4
    cluster.do("restart", "outside")
    wait = (
        "for try in {1..60}; do ssh -o ConnectTimeout=1 outside true && exit; sleep 1; done; exit 1"
    )
    cluster.on("inner", f"su study -c '{wait}'")
    services = "wg-quick@wg0 study-firewall study-datanode study-ray study-dask-worker"
    assert set(cluster.on("outside", f"systemctl is-active {services}").split()) == {"active"}
