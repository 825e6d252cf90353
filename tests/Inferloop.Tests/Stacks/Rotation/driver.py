"""Plays Secrets Manager and the cache to the rotation function: calls it with events, answers its logins over TLS."""
import json
import socket
import ssl
import sys
import threading

import boto3

given = json.load(open(sys.argv[1]))
boto3.load(json.dumps(given["state"]))

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(given["certificate"], given["key"])
listener = socket.create_server(("127.0.0.1", 0))


def serve():
    while True:
        plain, _ = listener.accept()
        try:
            with context.wrap_socket(plain, server_side=True) as link:
                password = link.recv(4096).decode().split("\r\n")[4]
                link.sendall(b"+OK\r\n" if password in boto3.STATE["accepted"] else b"-WRONGPASS invalid\r\n")
        except OSError:
            pass


threading.Thread(target=serve, daemon=True).start()
import os

os.environ["CACHE_PORT"] = str(listener.getsockname()[1])
import index


class Context:
    def get_remaining_time_in_millis(self):
        return 600000


failures = []
for event in given["events"]:
    try:
        index.handler(event, Context())
    except Exception as failure:
        failures.append(f"{event.get('Step')}: {failure}")
print(json.dumps({"state": boto3.STATE, "calls": boto3.CALLS, "failures": failures}))
