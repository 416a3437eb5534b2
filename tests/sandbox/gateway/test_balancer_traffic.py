"""Requests through a load balancer of the sandbox: what reaches the target, and what comes back."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.gateway.balancer_world import NOT_FOUND, World, ask, forward, said, world
from tests.sandbox.gateway.stand_in_targets import StandIn, stand_ins


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("state")) as made:
        yield made


@pytest.fixture(scope="module")
def targets() -> Iterator[list[StandIn]]:
    with stand_ins("127.0.0.2", "127.0.0.3") as made:
        yield made


@pytest.fixture(scope="module")
def host(account: World, targets: list[StandIn]) -> str:
    """Of a load balancer that leads everything to both targets."""
    return account.leading(*targets)[0]


def test_the_dns_name_answers_and_each_healthy_target_has_its_turn(host: str, account: World) -> None:
    told = [ask(host, f"/v1/models?n={number}") for number in range(4)]

    assert [one.status for one in told] == [200] * 4
    assert [one.echoed["path"] for one in told] == [f"/v1/models?n={number}" for number in range(4)]
    assert sorted(one.echoed["by"] for one in told) == ["127.0.0.2"] * 2 + ["127.0.0.3"] * 2
    named = account.elb.describe_load_balancers()["LoadBalancers"]
    assert host in {one["DNSName"] for one in named}


def test_a_target_learns_who_asked_by_which_scheme_and_port(host: str) -> None:
    told = ask(host, "/", X_Forwarded_For="203.0.113.7", X_Forwarded_Proto="spoofed", X_Forwarded_Port="1")

    assert told.sent("x-forwarded-for") == ["203.0.113.7, 127.0.0.1"]
    assert told.sent("x-forwarded-proto") == ["http"]
    assert told.sent("x-forwarded-port") == ["80"]
    assert told.sent("host") == [host]
    root = told.sent("x-amzn-trace-id")[0]
    assert root.startswith("Root=1-")
    again = ask(host, "/", X_Amzn_Trace_Id=root).sent("x-amzn-trace-id")[0]
    assert again.startswith("Self=1-")
    assert again.endswith(root)


def test_headers_of_one_hop_do_not_pass(host: str) -> None:
    told = ask(host, "/", Connection="keep-alive, X-Private", X_Private="1", TE="trailers", X_Kept="yes")

    assert told.sent("x-private") == told.sent("te") == told.sent("connection") == []
    assert told.sent("x-kept") == ["yes"]
    assert "keep-alive" not in told.headers


def test_a_stream_passes_piece_by_piece(host: str, targets: list[StandIn]) -> None:
    """Nothing is held back: the second piece is made only once the client has the first."""
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.request("GET", "/stream")
    answer_to = threading.Thread(target=lambda: [one.next_piece.release() for one in targets])
    answer_to.start()
    answer = connection.getresponse()

    heard = []
    for _ in range(3):
        heard.append(answer.readline() + answer.readline())
        for one in targets:
            one.next_piece.release()
    answer_to.join()
    connection.close()

    assert answer.getheader("Content-Type") == "text/event-stream"
    assert heard == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_large_bodies_pass_with_and_without_a_length(host: str) -> None:
    piece = b"x" * 100_000

    assert ask(host, "/", "POST", piece * 30).echoed["length"] == 3_000_000
    assert (
        ask(host, "/", "POST", iter([piece] * 30), Transfer_Encoding="chunked").echoed["length"] == 3_000_000
    )


def test_a_connection_is_kept_for_the_next_request(host: str) -> None:
    connection = http.client.HTTPConnection(host, timeout=10)
    connection.connect()
    port = connection.sock.getsockname()[1]
    told = []
    for method, body in (("POST", b"a body"), ("HEAD", None), ("DELETE", None), ("GET", None)):
        connection.request(method, "/", body)
        answer = connection.getresponse()
        told.append((answer.status, len(answer.read()) > 0))
        assert connection.sock.getsockname()[1] == port
    connection.close()

    assert told == [(200, True), (200, False), (200, True), (200, True)]


def test_requests_may_come_before_the_answers(host: str) -> None:
    one = f"GET /first HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    two = f"GET /second HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()

    heard = said(host, one + two)

    assert heard.count(b"HTTP/1.1 200") == 2
    assert heard.index(b"/first") < heard.index(b"/second")


def test_a_client_of_http_1_0_is_answered_and_the_connection_closed(host: str) -> None:
    heard = said(host, b"GET /old HTTP/1.0\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 200")
    assert b'"path": "/old"' in heard


def test_a_target_is_asked_for_a_path_though_a_client_asks_for_a_url(host: str) -> None:
    text = b"GET http://other.example.com/v1?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    heard = said(host, text)

    assert b'"path": "/v1?a=b"' in heard
    assert b'["host", "other.example.com"]' in heard


def test_a_client_that_waits_for_100_is_told_to_go_on(host: str) -> None:
    more = "Content-Length: 4\r\nExpect: 100-continue\r\nConnection: close"
    head = f"POST / HTTP/1.1\r\nHost: {host}\r\n{more}\r\n\r\n"
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"body")
        heard = connection.makefile("rb").read()

    assert heard.startswith(b"HTTP/1.1 200")
    assert b'"length": 4' in heard


def test_another_protocol_goes_on_after_101(host: str) -> None:
    head = f"GET /socket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += connection.recv(1000)
        connection.sendall(b"hello")
        assert connection.recv(100) == b"heard hello"

    assert heard.startswith(b"HTTP/1.1 101")
    assert b"upgrade: websocket" in heard.lower()


@pytest.mark.parametrize("path", ["/garbage", "/hang-up"])
def test_a_target_that_answers_no_http_makes_502(host: str, path: str) -> None:
    told = ask(host, path)

    assert told.status == 502
    assert told.headers["server"] == "awselb/2.0"
    assert b"<h1>502 Bad Gateway</h1>" in told.body


def test_an_answer_that_is_cut_off_is_not_completed(host: str) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ask(host, "/cut")


def test_a_target_that_refuses_connections_makes_502(account: World) -> None:
    with stand_ins("127.0.0.9") as (gone,):
        balancer, group = account.balancer(), account.group()
        account.listener(balancer, forward(group))
        target = gone.target
    account.elb.register_targets(TargetGroupArn=group, Targets=[target])

    assert ask(balancer["DNSName"]).status == 502


def test_a_target_that_says_nothing_makes_504(account: World, targets: list[StandIn]) -> None:
    host, _ = account.leading(targets[0], idle_timeout__timeout_seconds="1")
    with socket.create_server(("127.0.0.8", 0)) as mute:
        balancer = account.balancer(idle_timeout__timeout_seconds="1")
        group = account.group()
        account.listener(balancer, forward(group))
        target = {"Id": "127.0.0.8", "Port": mute.getsockname()[1]}
        account.elb.register_targets(TargetGroupArn=group, Targets=[target])

        told = ask(balancer["DNSName"])

    assert told.status == 504
    assert b"504 Gateway Time-out" in told.body
    assert ask(host).status == 200


def test_a_group_without_targets_makes_503(account: World) -> None:
    balancer = account.balancer()
    account.listener(balancer, forward(account.group()))

    told = ask(balancer["DNSName"], "/", "POST", b"a body")

    assert told.status == 503
    assert b"503 Service Temporarily Unavailable" in told.body


def test_http_1_does_not_reach_a_group_of_grpc(account: World, targets: list[StandIn]) -> None:
    balancer = account.balancer()
    account.listener(balancer, forward(account.group(targets[0], ProtocolVersion="GRPC")))

    assert ask(balancer["DNSName"]).status == 464


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 300_000, 400),
        (b"GET /" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
        (b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: "
            + b"1.1.1.1," * 30
            + b"1.1.1.1\r\n\r\n",
            463,
        ),
    ],
)
def test_a_request_that_no_load_balancer_takes_reaches_no_target(host: str, text: bytes, status: int) -> None:
    assert said(host, text).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_client_that_leaves_takes_its_request_with_it(
    host: str, targets: list[StandIn], account: World
) -> None:
    """The target's connection is closed, and no request stays in flight for ever."""
    name, _, port = host.partition(":")
    connection = socket.create_connection((name, int(port)), timeout=10)
    connection.sendall(f"GET /stream HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    for one in targets:
        one.next_piece.release()
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    connection.close()

    balancers = account.balancers
    every = [one for each in balancers.targets._groups.values() for one in each.registered.values()]
    account.eventually(lambda: sum(one.in_flight for one in every) == 0)
    for one in targets:
        for _ in range(6):
            one.next_piece.release()


def test_a_slow_client_holds_no_other(host: str) -> None:
    name, _, port = host.partition(":")
    slow = [socket.create_connection((name, int(port)), timeout=10) for _ in range(50)]
    for each in slow:
        each.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")

    told = [ask(host).status for _ in range(5)]
    for each in slow:
        each.close()

    assert told == [200] * 5


def test_a_change_of_the_rules_counts_for_the_next_request(account: World, targets: list[StandIn]) -> None:
    balancer = account.balancer()
    listener = account.listener(balancer)
    connection = http.client.HTTPConnection(balancer["DNSName"], timeout=10)

    def told() -> tuple[int, bytes]:
        connection.request("GET", "/v1/models")
        answer = connection.getresponse()
        return answer.status, answer.read()

    assert told() == (404, b"Not found")
    group = account.group(targets[0])
    rule = account.rule(listener, 10, [{"Field": "path-pattern", "Values": ["/v1/*"]}], forward(group))
    assert json.loads(told()[1])["by"] == "127.0.0.2"
    account.elb.modify_rule(RuleArn=rule, Actions=[NOT_FOUND])
    assert told()[0] == 404
    account.elb.modify_rule(RuleArn=rule, Actions=[forward(group)])
    assert told()[0] == 200
    account.elb.delete_rule(RuleArn=rule)
    assert told()[0] == 404
    connection.close()


@pytest.mark.parametrize(("status", "body"), [("200", b"said"), ("204", b"")])
def test_a_fixed_response_leaves_the_connection_to_the_next_request(
    account: World, status: str, body: bytes
) -> None:
    config = {"StatusCode": status, "ContentType": "application/json", "MessageBody": "said"}
    balancer = account.balancer()
    account.listener(balancer, {"Type": "fixed-response", "FixedResponseConfig": config})
    connection = http.client.HTTPConnection(balancer["DNSName"], timeout=10)
    told = []
    for content in (b"x" * 200_000, None):
        connection.request("POST", "/", content)
        answer = connection.getresponse()
        told.append((answer.status, answer.getheader("Content-Type"), answer.read()))
    connection.close()

    assert told == [(int(status), "application/json", body)] * 2


def test_a_load_balancer_that_is_deleted_answers_no_more(account: World) -> None:
    balancer = account.balancer()
    account.listener(balancer)
    assert ask(balancer["DNSName"]).status == 404

    account.elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])

    with pytest.raises(ConnectionError):
        ask(balancer["DNSName"])


def test_a_load_balancer_without_a_listener_closes_the_connection(account: World) -> None:
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        ask(account.balancer()["DNSName"])


def test_a_load_balancer_that_is_made_again_has_its_port_again(account: World) -> None:
    hosts = []
    for _ in range(3):
        made = account.elb.create_load_balancer(Name="again", Subnets=account.subnets)["LoadBalancers"][0]
        hosts.append(made["DNSName"])
        account.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])

    assert len(set(hosts)) == 1


def test_a_load_balancer_has_its_port_again_after_a_restart(tmp_path: Path) -> None:
    ports = []
    for _ in range(2):
        with world(tmp_path) as made:
            ports.append(made.balancer()["DNSName"])

    assert ports[0] == ports[1]
