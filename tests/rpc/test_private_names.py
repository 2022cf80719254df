"""Every private name of grpclib and h2 that the transport touches is there and means what it meant."""

from __future__ import annotations

import importlib.metadata
import inspect

import grpclib.client
import grpclib.protocol
import grpclib.server
import pytest
from grpclib.config import Configuration
from grpclib.events import _DispatchChannelEvents
from grpclib.metadata import Deadline
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.stream import StreamState

ADVICE = (
    "{} changed; read it again and adapt textile_aio/_rpc/{}.py, or use TEXTILE_AIO_STOCK_HTTP2=1 meanwhile"
)


def h2_with_a_stream() -> tuple[H2Connection, H2Connection]:
    ends = []
    for client in (True, False):
        end = H2Connection(H2Configuration(client_side=client, header_encoding="ascii"))
        end.initiate_connection()
        ends.append(end)
    client_end, server_end = ends
    client_end.send_headers(
        1, [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a")]
    )
    server_end.receive_data(client_end.data_to_send())
    return client_end, server_end


@pytest.mark.parametrize(("package", "pinned"), [("grpclib", "0.4"), ("h2", "4")])
def test_packages_are_of_the_pinned_series(package: str, pinned: str) -> None:
    version = importlib.metadata.version(package)
    assert version.startswith(pinned + "."), ADVICE.format(package, "http2 and protocol")


def test_h2_connection_has_the_names_used() -> None:
    _, server = h2_with_a_stream()
    for name in (
        "_data_to_send",
        "_frame_dispatch_table",
        "_inbound_flow_control_window_manager",
        "_prepare_for_sending",
        "_receive_goaway_frame",
        "_receive_settings_frame",
        "_terminate_connection",
        "decoder",
        "incoming_buffer",
        "max_inbound_frame_size",
        "max_outbound_frame_size",
        "outbound_flow_control_window",
        "state_machine",
        "streams",
    ):
        assert hasattr(server, name), ADVICE.format(f"h2.H2Connection.{name}", "http2")
    assert isinstance(server._data_to_send, bytearray)
    assert hasattr(server.incoming_buffer, "_headers_buffer"), ADVICE.format("h2.FrameBuffer", "http2")


def test_h2_stream_has_the_names_used() -> None:
    client, server = h2_with_a_stream()
    for end in (client, server):
        stream = end.streams[1]
        for name in (
            "_actual_content_length",
            "_expected_content_length",
            "_inbound_window_manager",
            "open",
            "outbound_flow_control_window",
            "state_machine",
        ):
            assert hasattr(stream, name), ADVICE.format(f"h2.H2Stream.{name}", "http2")
        assert stream.state_machine.state is StreamState.OPEN
    assert client.state_machine.state is ConnectionState.CLIENT_OPEN
    assert server.state_machine.state is ConnectionState.SERVER_OPEN
    assert server.streams[1].state_machine.headers_received
    assert not client.streams[1].state_machine.headers_received


def test_h2_accounts_for_data_in_nothing_but_what_consume_touches() -> None:
    """All numbers h2 keeps, before and after a plain DATA frame: two windows and the body length."""
    _, server = h2_with_a_stream()

    def numbers(owner: object, prefix: str = "") -> dict[str, object]:
        found: dict[str, object] = {}
        for key, value in vars(owner).items():
            if key in {"config", "encoder", "decoder", "local_settings", "remote_settings"}:
                continue
            if isinstance(value, (int, str, bytes, bytearray, type(None), StreamState, ConnectionState)):
                found[prefix + key] = bytes(value) if isinstance(value, bytearray) else value
            elif hasattr(value, "__dict__") and not inspect.isfunction(value):
                found |= numbers(value, f"{prefix}{key}.")
        return found

    def state() -> dict[str, object]:
        return numbers(server) | numbers(server.streams[1], "stream.")

    before = state()
    server.receive_data(b"\x00\x00\x05\x00\x00\x00\x00\x00\x01hello")
    after = state()
    changed = {key for key in after if before.get(key) != after[key]}
    assert changed == {
        "_inbound_flow_control_window_manager.current_window_size",
        "stream._inbound_window_manager.current_window_size",
        "stream._actual_content_length",
    }, ADVICE.format("what h2 does on a DATA frame", "http2")


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (
            grpclib.protocol.H2Protocol,
            ("connection_made", "data_received", "pause_writing", "resume_writing"),
        ),
        (grpclib.protocol.Connection, ("ack", "flush", "create_stream", "is_closing", "initialize", "close")),
        (
            grpclib.protocol.Stream,
            ("init_stream", "send_data", "send_headers", "reset_nowait", "__terminated__"),
        ),
        (
            grpclib.protocol.EventsProcessor,
            (
                "register",
                "process",
                "process_request_received",
                "process_response_received",
                "process_connection_terminated",
                "process_remote_settings_changed",
                "close",
            ),
        ),
        (grpclib.client.Channel, ("_protocol_factory", "request", "close", "__connect__")),
        (
            grpclib.server.Server,
            ("_protocol_factory", "__gc_step__", "__gc_collect__", "close", "wait_closed"),
        ),
        (grpclib.server.Handler, ("accept", "cancel", "close", "wait_closed", "check_closed")),
        (grpclib.protocol, ("_set_nodelay",)),
    ],
)
def test_grpclib_has_the_names_overridden(owner: object, names: tuple[str, ...]) -> None:
    for name in names:
        assert callable(getattr(owner, name, None)), ADVICE.format(f"grpclib {owner}.{name}", "protocol")


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (grpclib.protocol.Connection.__init__, ["self", "connection", "transport", "config"]),
        (
            grpclib.protocol.Stream.__init__,
            ["self", "connection", "h2_connection", "transport", "stream_id", "wrapper"],
        ),
        (grpclib.protocol.Buffer.add, ["self", "data", "ack_size"]),
        (grpclib.protocol.EventsProcessor.register, ["self", "stream"]),
        (grpclib.server.Handler.__init__, ["self", "mapping", "codec", "status_details_codec", "dispatch"]),
    ],
)
def test_grpclib_signatures_are_those_relied_on(function: object, parameters: list[str]) -> None:
    found = list(inspect.signature(function).parameters)  # type: ignore[arg-type]
    assert found == parameters, ADVICE.format(f"grpclib {function}", "protocol")


def test_grpclib_streams_have_the_attributes_set() -> None:
    for name in (
        "_send_request_done",
        "_send_message_done",
        "_end_done",
        "_recv_initial_metadata_done",
        "_messages_sent",
        "_messages_received",
    ):
        assert hasattr(grpclib.client.Stream, name), ADVICE.format(
            f"grpclib.client.Stream.{name}", "grpc_channel"
        )
    for name in ("_send_initial_metadata_done", "_send_message_done", "_messages_sent", "_messages_received"):
        assert hasattr(grpclib.server.Stream, name), ADVICE.format(f"grpclib.server.Stream.{name}", "handler")
    source = inspect.getsource(grpclib.client.Stream)
    for name in ("_wrapper", "_dispatch", "_stream", "_codec", "_send_type", "_recv_type", "_cardinality"):
        assert f"self.{name}" in source, ADVICE.format(f"grpclib.client.Stream.{name}", "grpc_channel")


def test_grpclib_configuration_has_the_keepalive_settings() -> None:
    for name in (
        "_keepalive_time",
        "_keepalive_timeout",
        "_http2_max_pings_without_data",
        "_http2_min_sent_ping_interval_without_data",
    ):
        assert name in Configuration.__dataclass_fields__, ADVICE.format(
            f"Configuration.{name}", "grpc_channel"
        )
    assert callable(Deadline.from_timeout)
    assert callable(_DispatchChannelEvents)
