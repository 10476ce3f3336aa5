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
_MIB = 2**20
#: Seconds between two pieces of an answer that is sent drop by drop.
_DROP = 0.02


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


def _objects(number, unit):
    """A list of that many distinct objects, in a body of nearly the limit."""
    parts = [unit % i for i in range(number)]
    room = 4 * _MIB - 100 - len(parts) - sum(map(len, parts))
    wide = u"\U0001f4a3".encode("utf-8")
    return b"[" + b",".join(parts) + b',"' + wide + b"a" * room + b'"]'


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
    "as many values as allowed": (
        "json_values", lambda: _body(_objects(49000, b'{"%d":9}')), None,
    ),
    "wide text": (
        "body_bytes",
        lambda: _body(b'["' + u"\U0001f4a3".encode("utf-8") + b"a" * (4 * _MIB - 20) + b'"]'), None,
    ),
    "deep lists": ("json_nesting", lambda: _body(b"[" * 100000 + b"]" * 100000), "levels"),
    "lists in lists": ("json_nesting", lambda: _body(b"[" * 40 + b"]" * 40), "levels"),
    "long number": ("number_characters", lambda: _body(b"[" + b"9" * 4000000 + b"]"), "number"),
    "long fraction": (
        "number_characters", lambda: _body(b"[0." + b"9" * 4000000 + b"]"), "number",
    ),
    "error page with open tags": ("body_bytes", lambda: _error_page(b"<style>"), "HTTP 400"),
    "error page with tags": ("body_bytes", lambda: _error_page(b"<a"), "HTTP 400"),
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
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            name = request.split(b" ")[1].decode("ascii")[1:].replace("-", " ")
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
