"""The program: finds the command, runs it, and turns what went wrong into a line and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence

import click
from click.shell_completion import shell_complete

from .._core import __version__
from . import terminal
from .failure import Exit, explain, one_line

COMMANDS = ("info", "read", "associated", "patches", "verify", "bench", "cache")
COMPLETION = "_MICROTOME_COMPLETE"


class Commands(click.Group):
    """Commands are modules beside this one, imported when asked for."""

    def list_commands(self, context):
        return list(COMMANDS)

    def get_command(self, context, name):
        return importlib.import_module(f".{name}", __package__).command if name in COMMANDS else None


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 2 impossible request, 3 not a readable slide, 4 damaged slide, 5 cannot write, "
    "6 a package is missing, 130 interrupted, 141 closed pipe.",
)
@click.version_option(__version__, prog_name="microtome")
def program():
    """Reads whole-slide images: facts, regions, patches, and whether every tile is in order."""


class Terminated(BaseException):
    """SIGTERM outside of a work that stops in good order: unwinds, so that temporary files are removed."""


@contextlib.contextmanager
def _sigterm_unwinds():
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def unwind(number, frame):
        raise Terminated

    before = signal.getsignal(signal.SIGTERM)
    if before != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and returns its exit code. Exceptions that come out of it are bugs."""
    terminal.tolerate_any_text()
    if instruction := os.environ.get(COMPLETION):
        return shell_complete(program, {}, "microtome", COMPLETION, instruction)
    try:
        with _sigterm_unwinds():
            # Not click's own main(), which answers a closed pipe and Ctrl-C in ways of its own.
            with program.make_context("microtome", list(arguments)) as context:
                program.invoke(context)
            sys.stdout.flush()
        return Exit.OK
    except click.exceptions.Exit as done:
        return _flushed(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except click.ClickException as error:
        return _refuse(Exit.USAGE, _usage(error))
    except BrokenPipeError:
        return _closed_pipe()
    except (KeyboardInterrupt, click.Abort):
        return _refuse(Exit.INTERRUPTED, "interrupted")
    except Terminated:
        return _refuse(Exit.TERMINATED, "terminated")
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        return _refuse(*known)


def _usage(error):
    """click's messages are sentences over several lines; ours are one."""
    context = getattr(error, "ctx", None)
    name = context.command_path if context else "microtome"
    message = one_line(error.format_message().replace("\n", " ")).removesuffix(".")
    return f"{message}; see '{name} --help'"


def _refuse(code, message):
    with contextlib.suppress(BrokenPipeError):  # whoever read our messages is gone too
        terminal.note(f"microtome: {message}")
    return _flushed(code)


def _flushed(code):
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        return _closed_pipe()
    except OSError as error:
        _silence_stdout()
        return _refuse(Exit.OUTPUT, f"standard output: {os.strerror(error.errno)}")
    return code


def _closed_pipe():
    """Whoever read our output has seen enough: no message, and nothing more to flush when Python ends."""
    _silence_stdout()
    return Exit.PIPE


def _silence_stdout():
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
