"""Certificates of servers: refused, trusted by a file of authorities, or not asked for."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import make
import pytest
import trustme

from preprocessing.errors import SourceError
from realtime.runtime import certificates
from realtime.runtime.certificates import CA_VARIABLE, INSECURE, VerifiedFiles, ca_file
from realtime.sources.open_source import open_source

AUTHORITY = trustme.CA()


class Served(SimpleHTTPRequestHandler):
    """Files of a folder; who asks is remembered."""

    extensions_map = SimpleHTTPRequestHandler.extensions_map | {"": "application/vnd.apple.mpegurl"}

    def log_message(self, *values):
        """Print nothing."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if self.path == "/moved.m3u8":
            self.send_response(302)
            self.send_header("Location", "/there/a.m3u8")
            self.end_headers()
            return
        super().do_GET()


@contextmanager
def serving(folder, *, names=("127.0.0.1",), authority=AUTHORITY) -> Iterator[ThreadingHTTPServer]:
    """An https server of a folder, whose certificate is for `names`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Served, directory=str(folder))) as server:
        server.asked, server.handle_error = [], lambda *one: None  # refused handshakes
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.url = f"https://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """The file of the authority, which is trusted."""
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    monkeypatch.setenv(CA_VARIABLE, str(path))
    return path


def count(url, **options):
    with open_source(url, **options) as source:
        return sum(1 for _ in source)


def hls(folder, *, elsewhere=""):
    """An HLS list in a folder, its segments maybe on another server."""
    folder.mkdir(exist_ok=True)
    clip = make.clip(folder / "clip.mp4", frames=20)
    options = {"hls_list_size": "0", "hls_segment_filename": str(folder / "part%d.ts")}
    path = make.remuxed(clip, folder / "a.m3u8", format="hls", options=options)
    path.write_text(path.read_text().replace("part", f"{elsewhere}part"))
    return path


def test_a_file_of_an_unknown_server_is_refused_unless_insecure(tmp_path):
    make.clip(tmp_path / "a.mp4", frames=10)
    with serving(tmp_path) as server:
        url = f"{server.url}/a.mp4"
        with pytest.raises(SourceError) as raised:
            open_source(url)
        assert not server.asked and "\n" not in str(raised.value)
        assert str(raised.value).startswith(f"cannot open {url}: its certificate is not trusted (")
        assert "--insecure" in str(raised.value) and CA_VARIABLE in str(raised.value)
        assert count(url, insecure=True) == 10


def test_an_authority_of_ones_own_is_trusted(tmp_path, trusted):
    make.clip(tmp_path / "a.mp4", frames=10)
    with serving(tmp_path) as server:
        assert count(f"{server.url}/a.mp4") == 10


def test_the_certificate_of_another_host_is_refused(tmp_path, trusted):
    make.clip(tmp_path / "a.mp4", frames=10)
    with (
        serving(tmp_path, names=("example.org",)) as server,
        pytest.raises(SourceError, match=r"not valid for .127\.0\.0\.1"),
    ):
        open_source(f"{server.url}/a.mp4")


@pytest.mark.parametrize("scheme", ["rtsps", "rtmps"])
def test_nothing_is_sent_to_an_unknown_camera(scheme):
    context, heard = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    AUTHORITY.issue_cert("127.0.0.1").configure_cert(context)

    def answer(listening):
        with suppress(OSError):
            while True:
                line, _ = listening.accept()
                with suppress(OSError), context.wrap_socket(line, server_side=True) as safe:
                    heard.append(safe.recv(100))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        url = f"{scheme}://viewer:secret@127.0.0.1:{listening.getsockname()[1]}/stream"
        with pytest.raises(SourceError, match=r"not trusted .*--insecure") as raised:
            open_source(url)
        assert "secret" not in str(raised.value) and not any(heard)
        with pytest.raises(SourceError):
            open_source(url, insecure=True)
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert any(heard)


@pytest.mark.parametrize("name", ["a.m3u8", "moved.m3u8", "list"])
def test_all_of_an_hls_source_comes_from_trusted_servers(tmp_path, trusted, name):
    hls(tmp_path / "there")
    (tmp_path / "a.m3u8").write_text(hls(tmp_path).read_text())
    (tmp_path / "list").write_text((tmp_path / "a.m3u8").read_text())
    with serving(tmp_path) as server:
        assert count(f"{server.url.replace('//', '//me:s%40cret@')}/{name}") == 20
        basic = "Basic " + base64.b64encode(b"me:s@cret").decode()
        assert basic in {given for path, given in server.asked if path.endswith(".ts")}


def test_segments_of_an_unknown_server_are_refused(tmp_path, trusted):
    hls(tmp_path / "parts")
    with serving(tmp_path / "parts", authority=trustme.CA()) as other:
        hls(tmp_path / "list", elsewhere=f"{other.url}/")
        with serving(tmp_path / "list") as server:
            with pytest.raises(SourceError, match=rf"{other.url}/part0.ts: .*not trusted"):
                open_source(f"{server.url}/a.m3u8")
            assert not other.asked
            assert count(f"{server.url}/a.m3u8", insecure=True) == 20


def test_an_hls_source_names_no_files_of_this_machine(tmp_path, trusted):
    make.clip(tmp_path / "secret.ts", frames=10)
    hls(tmp_path, elsewhere=f"file://{tmp_path}/")
    with serving(tmp_path) as server, pytest.raises(SourceError):
        open_source(f"{server.url}/a.m3u8")
    files = VerifiedFiles(1.0)
    assert files(f"file://{tmp_path}/secret.ts", 1, {}).read(100) == b"" and files.error


def test_a_file_of_authorities_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(CA_VARIABLE, str(tmp_path / "none.pem"))
    make.clip(tmp_path / "a.mp4", frames=10)
    with serving(tmp_path) as server, pytest.raises(SourceError, match=r"none\.pem.*No such file"):
        open_source(f"{server.url}/a.mp4")


def test_authorities(monkeypatch):
    monkeypatch.delenv(CA_VARIABLE, raising=False)
    monkeypatch.setattr(certificates, "CA_FILES", ("/nowhere/ca.pem",))
    assert ca_file() == (
        "" if certificates.sys.platform in certificates.OWN_STORE else certificates.certifi.where()
    )


def test_insecure_is_said_at_every_start(tmp_path):
    done = make.called("--insecure", tmp_path / "none.mp4")
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == INSECURE and done.stderr.count("--insecure") == 1
