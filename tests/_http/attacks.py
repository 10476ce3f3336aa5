"""
A hostile server on a real port, and its answers.

Each attack is aimed at one of the bounds of answers.  ``python -m tests._http.attacks`` measures a
client under each of them, in a process of its own.
"""

from __future__ import absolute_import, division, print_function

import gzip
import io
import json
import os
import socket
import subprocess
import sys
import threading
from itertools import chain, count, repeat

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
#: Bytes after which a server gives up, when the client does not.
ENOUGH = 512 * 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
#: The first byte of a TLS handshake.
HANDSHAKE = b"\x16"
_MIB = 2**20
#: Seconds between two pieces of an answer that is sent drop by drop.
_DROP = 0.02
#: The greatest number of characters of a text.
_LONGEST = 64 * 1024


def _body(*pieces, **headers):
    """An answer with a length, in pieces."""
    head = OK + headers.get("head", b"")
    return chain([head + b"Content-Length: %d\r\n\r\n" % sum(map(len, pieces))], pieces)


def _endless(start, piece):
    return chain([start], repeat(piece))


def _chunked(start, piece):
    return _endless(OK + b"Transfer-Encoding: chunked\r\n\r\n" + start, piece)


def _zipped(layers, size):
    """Spaces that gzip compressed several times."""
    data = b" " * size
    for _ in range(layers):
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb") as opened:
            opened.write(data)
        data = packed.getvalue()
    return data


def _bomb(*encodings):
    head = b"Content-Encoding: " + b", ".join(encodings) + b"\r\n"
    return _body(_zipped(len(encodings), 64 * _MIB), head=head)


def _distinct_headers():
    numbers = (range(start, start + 1000) for start in count(0, 1000))
    return chain([OK], (b"".join(b"x%d:\r\n" % each for each in some) for some in numbers))


def _error_page(piece):
    page = piece * (4 * _MIB // len(piece) - 1)
    return [b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(page), page]


def _padded(unit, end=b"]"):
    """A list that is as long as a body may be, nearly."""
    return b"[" + (unit + b",") * (4 * _MIB // (len(unit) + 1) - 2) + unit + end


def _texts(size, text=u"\U0001f4a3".encode("utf-8") + b"a" * (_LONGEST - 1)):
    """Texts of that many bytes together, each as long as a text may be, and then a rest."""
    whole, rest = divmod(size, len(text) + 3)
    pieces = [b'"' + text + b'"'] * whole + [b'"' + b"a" * max(0, rest - 3) + b'"']
    return b",".join(pieces)


def _filled(start, end=b"}"):
    """An object that begins with the given members, in a body of nearly the limit."""
    start += b',"more":['
    page = start + _texts(4 * _MIB - 100 - len(start) - len(end)) + b"]" + end
    return _body(page, head=b"X-Subject-Token: a\r\n")


def _many(key, number, unit, end=b"}"):
    """An object with a list of that many entries, in a body of nearly the limit."""
    entries = [unit % i if b"%" in unit else unit for i in range(number)]
    return _filled(b'{"' + key + b'":[' + b",".join(entries) + b"]", end)


def _deep(levels):
    """Lists inside each other, of which the innermost one fills the body."""
    return _body(b"[" * levels + _texts(4 * _MIB - 100) + b"]" * levels)


def _endpoints(number):
    start = b'{"token":{"catalog":[{"type":"volumev3","endpoints":['
    unit = b'{"interface":"public","url":"http://a/%d"}'
    return _filled(start + b",".join(unit % i for i in range(number)) + b"]}]", b"}}")


def _usual_volumes(number):
    """A page of volumes with the members of a real one."""
    volumes = []
    for i in range(number):
        volume_id = "%08d-0000-4000-8000-000000000000" % i
        link = {"rel": "self", "href": "http://cloud.example.org:8776/v3/volumes/" + volume_id}
        place = {"server_id": volume_id, "volume_id": volume_id, "device": "/dev/vdb"}
        volume = {"id": volume_id, "size": 10, "status": "in-use", "name": "a" * 40}
        volume["metadata"] = {"flocker-cluster-id": volume_id, "flocker-dataset-id": volume_id}
        volume.update(links=[link, link], attachments=[dict(place, id=volume_id)])
        volume.update(("os-vol-attribute-%d" % j, "a" * 10) for j in range(20))
        volumes.append(volume)
    return json.dumps({"volumes": volumes}).encode("ascii")


def _one_byte_chunks():
    page = b"1\r\n \r\n" * 10000
    return _endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", page)


def _drops(start, drop):
    return chain([start], repeat((_DROP, drop)))


#: By name: the bound, the pieces of the answer, and words of the error; ``""`` where Twisted's own
#: bound is lower, and ``None`` for an answer that just fits.
ATTACKS = {
    "endless header line": ("head_bytes", lambda: _endless(OK + b"X: ", b"a" * 65536), ""),
    "endless continuation": (
        "head_bytes", lambda: _endless(OK + b"X: a", b"\r\n " + b"a" * 8000), "head",
    ),
    "endless interim answers": (
        "head_bytes",
        lambda: repeat(b"HTTP/1.1 100 Continue\r\nX: " + b"a" * 8000 + b"\r\n\r\n"), "head",
    ),
    "endless headers": ("head_lines", _distinct_headers, "head"),
    "endless cookies": ("head_lines", lambda: _endless(OK, b"Set-Cookie: a=b\r\n" * 1000), "head"),
    "endless body": ("body_bytes", lambda: _endless(OK + b"\r\n", b" " * 65536), "longer than"),
    "huge body": (
        "body_bytes",
        lambda: _endless(OK + b"Content-Length: 99999999999\r\n\r\n", b"1" * 65536), "longer than",
    ),
    "gzip bomb": ("body_bytes", lambda: _bomb(b"gzip"), "longer than"),
    "endless chunk length": ("wire_bytes", lambda: _chunked(b"1", b"0" * 65536), ""),
    "endless chunk extension": ("wire_bytes", lambda: _chunked(b"1;", b"a" * 65536), ""),
    "endless trailers": ("wire_bytes", lambda: _chunked(b"0\r\n", b"a: b\r\n" * 10000), ""),
    "chunks of one byte": ("wire_bytes", _one_byte_chunks, "longer than"),
    "empty gzip blocks": (
        "body_bytes",
        lambda: _endless(
            OK + b"Content-Encoding: gzip\r\n\r\n" + _zipped(1, 0)[:10], b"\0\0\0\xff\xff" * 10000
        ),
        "longer than",
    ),
    "gzip in gzip": ("content_encodings", lambda: _bomb(b"gzip", b"gzip"), "content encodings"),
    "many lists": ("json_values", lambda: _body(_padded(b"[]")), "values"),
    "many objects": ("json_values", lambda: _body(_padded(b'{"a":1}')), "values"),
    "many keys": (
        "json_values",
        lambda: _body(b"{" + b",".join(b'"%d":0' % i for i in range(350000)) + b"}"), "values",
    ),
    "as many objects as allowed": (
        "json_values", lambda: _many(b"list", 49900, b'{"%d":9}'), None,
    ),
    "as many numbers as allowed": ("json_values", lambda: _many(b"list", 99800, b"%d"), None),
    "as many lists as allowed": ("json_values", lambda: _many(b"list", 49900, b"[]"), None),
    "as many volumes as allowed": (
        "json_values",
        lambda: _many(b"volumes", 24900, b'{"id":"%d","size":1,"status":"error"}'), None,
    ),
    "as many malformed volumes": ("json_values", lambda: _many(b"volumes", 49900, b"{}"), None),
    "volumes in a usual page": ("json_values", lambda: _body(_usual_volumes(500)), None),
    "volumes with many attachments": (
        "json_values",
        lambda: _filled(b'{"volumes":[{"id":"a","size":1,"status":"b","attachments":['
                        + b",".join([b"{}"] * 49900) + b"]}]"), None,
    ),
    "as many servers as allowed": (
        "json_values", lambda: _many(b"servers", 49900, b'{"id":"%d"}'), None,
    ),
    "as many endpoints as allowed": ("json_values", lambda: _endpoints(5000), None),
    "too many endpoints": ("json_values", lambda: _endpoints(33000), "endpoints"),
    "wide texts": ("body_bytes", lambda: _many(b"list", 1, b"0"), None),
    "escaped texts": (
        "body_bytes", lambda: _body(b"[" + _texts(4 * _MIB - 9, b"\\u20ac" * 10922) + b"]"), None,
    ),
    "white space": ("body_bytes", lambda: _body(b"[" + b" " * (4 * _MIB - 9) + b"]"), None),
    "long text": ("text_characters", lambda: _body(b'["' + b"a" * 4000000 + b'"]'), "text"),
    "long lists in lists": ("json_nesting", lambda: _deep(32), None),
    "deep lists": ("json_nesting", lambda: _body(b"[" * 100000 + b"]" * 100000), "levels"),
    "lists in lists": ("json_nesting", lambda: _body(b"[" * 40 + b"]" * 40), "levels"),
    "long number": ("number_characters", lambda: _body(b"[" + b"9" * 4000000 + b"]"), "number"),
    "long fraction": (
        "number_characters", lambda: _body(b"[0." + b"9" * 4000000 + b"]"), "number",
    ),
    "error page with open tags": ("body_bytes", lambda: _error_page(b"<style>"), "HTTP 400"),
    "error page with tags": ("body_bytes", lambda: _error_page(b"<a"), "HTTP 400"),
    "handshake by drops": (
        "handshake_seconds", lambda: _drops(HANDSHAKE + b"\x03\x03\x40\0", b"\0"), "TLS handshake",
    ),
    "headers by drops": ("answer_seconds", lambda: _drops(OK, b"a: b\r\n"), "within"),
    "body by drops": ("answer_seconds", lambda: _drops(OK + b"\r\n[", b" "), "within"),
}


class HostileServer(object):
    """
    A server on the loopback interface that answers with the attack that the path names.

    The path ``/idle`` gets a good answer.  Each connection has a thread.
    """

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(5)
        self._ended = threading.Event()
        self.url = u"http://127.0.0.1:{}/".format(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept)
        self._thread.daemon = True
        self._thread.start()

    def close(self):
        """Stop, and end the drops."""
        self._ended.set()
        # Closing alone does not wake accept().
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _accept(self):
        while not self._ended.is_set():
            connection, _ = self._listener.accept()
            thread = threading.Thread(target=self._serve, args=(connection,))
            thread.daemon = True
            thread.start()

    def _serve(self, connection):
        try:
            request = b""
            while b"\r\n\r\n" not in request and request[:1] != HANDSHAKE:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            if request[:1] == HANDSHAKE:
                name = "handshake by drops"
            else:
                path = request.split(b" ")[1].decode("ascii")
                name = path.split("/")[1].replace("-", " ")
            pieces = [b"".join(_body(b"{}"))] if name == "idle" else ATTACKS[name][1]()
            self._send(connection, pieces)
        except (socket.error, IOError):
            pass  # the client had enough
        finally:
            connection.close()

    def _send(self, connection, pieces):
        sent = 0
        for piece in pieces:
            if isinstance(piece, tuple):
                delay, piece = piece
                if self._ended.wait(delay):
                    return
            connection.sendall(piece)
            sent += len(piece)
            if sent > ENOUGH:
                return


def measure(url, name, root=ROOT):
    """
    Send a request to a hostile server from a process of its own.

    :param text url: the server's.
    :param str name: the attack's.
    :param str root: the directory of the txstorage that sends it.
    :return: a dict, as :mod:`tests._http.attacked` prints it.
    """
    script = os.path.join(ROOT, "tests", "_http", "attacked.py")
    output = subprocess.check_output(
        [sys.executable, "-W", "ignore", script, url, name],
        env=dict(os.environ, PYTHONPATH=root),
        cwd=root,
    )
    return json.loads(output.decode("utf-8").splitlines()[-1])


def main(root=ROOT, *names):
    """Print a table of all attacks, or of those with the given names."""
    server = HostileServer()
    titles = ("answer", "RSS MiB", "stall ms", "seconds", "outcome")
    print("{:28}{:>10}{:>10}{:>9}  {}".format(*titles))
    for name in names or sorted(ATTACKS):
        try:
            seen = measure(server.url, name, root)
        except subprocess.CalledProcessError as error:
            print("{:28}{}".format(name, error))
            continue
        print(
            "{:28}{:10.1f}{:10.0f}{:9.1f}  {}".format(
                name, seen["rss"], 1000 * seen["stall"], seen["seconds"], seen["error"][:90]
            )
        )
        sys.stdout.flush()
    server.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
