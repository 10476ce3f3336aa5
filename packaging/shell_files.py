"""
The completions of the shells and the man pages, made from the installed command.

    PYTHON -I shell_files.py TREE

``PYTHON`` has the package.  The files are made below ``TREE``, under the paths in which the shells
and ``man`` look for them.
"""

import os
import sys

import click
from click.shell_completion import get_completion_class

from txstorage import __version__
from txstorage.cli.main import main

PROGRAM = "txstorage"
MAN = "usr/share/man/man1"
#: Debian's zsh and Fedora's have directories of their own.
COMPLETIONS = (
    ("bash", "usr/share/bash-completion/completions/txstorage"),
    ("zsh", "usr/share/zsh/vendor-completions/_txstorage"),
    ("zsh", "usr/share/zsh/site-functions/_txstorage"),
    ("fish", "usr/share/fish/vendor_completions.d/txstorage.fish"),
)


def completion(shell):
    """:return: a shell's script; click's test of the running bash does not matter here."""
    made = get_completion_class(shell)(main, {}, PROGRAM, "_TXSTORAGE_COMPLETE")
    return made.source_template % made.source_vars()


def escaped(text):
    """:return: text without the marks that roff has a meaning for."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def contexts(command, name, parent=None):
    """Yield a context of a command, and of each command below it."""
    settings = command.context_settings
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context
    for below in getattr(command, "list_commands", lambda context: [])(context):
        yield from contexts(command.get_command(context, below), below, context)


def page(context):
    """:return: a command's man page."""
    command, path = context.command, context.command_path
    short = command.get_short_help_str(200).rstrip(".")
    lines = ['.TH {} 1 "" "{} {}"'.format(path.replace(" ", "-").upper(), PROGRAM, __version__)]
    lines += [".SH NAME", escaped("{} - {}".format(path.replace(" ", "-"), short))]
    usage = " ".join(command.collect_usage_pieces(context))
    lines += [".SH SYNOPSIS", ".B " + escaped(path), escaped(usage)]
    lines += [".SH DESCRIPTION", escaped(sections(command.help or ""))]
    lines += [".SH OPTIONS"]
    for param in command.get_params(context):
        record = param.get_help_record(context)
        if record is not None:
            lines += [".TP", ".B " + escaped(record[0]), escaped(record[1])]
    below = getattr(command, "list_commands", lambda context: [])(context)
    if below:
        lines += [".SH COMMANDS"]
    for name in below:
        short = command.get_command(context, name).get_short_help_str(200)
        lines += [
            ".TP",
            ".BR {} (1)".format(escaped("-".join([*path.split(), name]))),
            escaped(short),
        ]
    return "\n".join(lines) + "\n"


def sections(text):
    """:return: a help text, with roff's mark between its paragraphs."""
    paragraphs = click.core.inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(each.strip() for each in paragraphs)


def make(tree):
    """Make all files below a directory."""
    files = [(path, completion(shell)) for shell, path in COMPLETIONS]
    for context in contexts(main, PROGRAM):
        name = context.command_path.replace(" ", "-") + ".1"
        files.append((os.path.join(MAN, name), page(context)))
    for path, text in files:
        target = os.path.join(tree, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as opened:
            opened.write(text)


if __name__ == "__main__":
    make(sys.argv[1])
