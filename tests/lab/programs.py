"""What the tests of a cluster run on its hosts, as text for `python -c` and `bash -c`."""

STATE = """
cat /etc/passwd /etc/group /etc/hosts /etc/hostname /proc/sys/net/ipv4/ip_forward
sha256sum /etc/shadow /etc/gshadow
nft list ruleset; ip -brief link; ip route; ls /home
systemctl list-units --plain --no-legend 'study*' 'wg*'
pgrep -l 'java|raylet|gcs|wireguard' || true
"""
"""Of a host, as far as a cluster changes it: the same before and after."""

SCAN = """
import errno, resource, select, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
found, size = [], min(16000, hard - 100)
for first in range(1, 65536, size):
    poll, sockets = select.epoll(), {}
    for port in range(first, min(first + size, 65536)):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((sys.argv[1], port))
        sockets[client.fileno()] = client, port
        poll.register(client, select.EPOLLOUT)
    # Who listens answers in milliseconds; past half a second of silence nobody else will.
    while events := poll.poll(0.5):
        for number, _ in events:
            client, port = sockets[number]
            if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(port)
            poll.unregister(client)
    for client, _ in sockets.values():
        client.close()
print(*found)
"""
"""The TCP ports of an address that answer, by plain sockets."""

HDFS = """
import hashlib, json, sys
from hdfs_native import Client, WriteOptions
client, path = Client("hdfs://10.77.0.1:9000"), "/test/digests"
content = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(100_000))
if sys.argv[1] == "write":
    with client.create(path, WriteOptions()) as file:
        file.write(content)
else:
    with client.read(path) as file:
        print(json.dumps([client.get_file_info(path).replication, file.read() == content]))
"""
"""Writes a file, or reads it: its replication, and whether it is the same."""

GREETED = """
import socket, ssl, sys
context = ssl.create_default_context(cafile="/etc/study/dask/authority.pem")
context.check_hostname = False
if sys.argv[1:]:
    context.load_cert_chain(*sys.argv[1:])
with context.wrap_socket(socket.create_connection(("10.77.0.1", 8786), 20)) as connection:
    try:
        print("greeted" if connection.recv(1) else "closed")
    except ssl.SSLError as error:
        print(error.reason)
"""
"""Joins the scheduler with a certificate, or without: whether it greets, or what it misses."""

JOIN = (
    'import ray; ray.init(address="10.77.0.1:6379", logging_level="ERROR", log_to_driver=False)\n'
)
