"""Ports for processes that talk to each other on this machine."""

import socket


def free_port():
    """Return a port of the loopback interface that nobody listens to."""
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]
