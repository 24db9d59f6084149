"""An HTTP proxy in front of an S3 server that misbehaves on request: errors, resets, cut and wrong bodies, stalls, expired tokens."""
import http.client
import http.server
import random
import socket
import struct
import threading
import time

EXPIRED = b"<?xml version='1.0'?><Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class FaultyProxy:
    """`faults`: name -> probability. `only`: a function of (method, path) that says which requests may be hit."""

    def __init__(self, target_port, seed=1):
        self.faults, self.only, self.seen, self.hits = {}, lambda method, path: True, [], []
        self.random, self.lock = random.Random(seed), threading.Lock()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def fault(self):
                with proxy.lock:
                    proxy.seen.append((self.command, self.path))
                    if not proxy.only(self.command, self.path):
                        return None
                    for name, share in proxy.faults.items():
                        if proxy.random.random() < share:
                            proxy.hits.append(name)
                            return name
                return None

            def answer(self, status, headers, body, cut=None):
                self.send_response_only(status)
                for k, v in headers:
                    if k.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(k, v)
                length = dict((k.lower(), v) for k, v in headers).get("content-length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body if cut is None else body[:cut])
                if cut is not None:
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = self.fault()
                if fault == "500":
                    return self.answer(500, [], b"<html>oops</html>")
                if fault == "503":
                    return self.answer(503, [("Content-Type", "application/xml")], SLOW_DOWN)
                if fault == "429":
                    return self.answer(429, [("Retry-After", "0")], b"")
                if fault == "expired":
                    return self.answer(400, [("Content-Type", "application/xml")], EXPIRED)
                if fault == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    return self.connection.close()
                if fault == "stall":
                    time.sleep(3)
                    self.close_connection = True
                    return None
                upstream = http.client.HTTPConnection("127.0.0.1", target_port, timeout=30)
                upstream.request(self.command, self.path, body, dict(self.headers.items()))
                got = upstream.getresponse()
                data = got.read()
                upstream.close()
                if fault == "truncate" and len(data) > 1:
                    return self.answer(got.status, got.getheaders(), data, cut=len(data) // 2)
                if fault == "wrong" and data and self.command == "GET" and "list-type" not in self.path:
                    data = bytes([data[0] ^ 1]) + data[1:]
                return self.answer(got.status, got.getheaders(), data)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 256

            def handle_error(self, request, client_address):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
