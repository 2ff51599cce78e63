"""The command line: `hutong COMMAND DIR ...`. Each part brings its commands, loaded only when one of them is used."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from hutong.node import refusals
from hutong.terminal import language
from hutong.vocabulary.errors import Language, Refused

# command: module and attribute. A part that is not installed has no commands.
COMMANDS = {
    "init": "hutong.node.commands:init",
    "serve": "hutong.node.commands:serve",
    "invite": "hutong.node.commands:invite",
    "join": "hutong.node.commands:join",
    "members": "hutong.node.commands:members",
    "keys": "hutong.node.commands:keys",
    "outbox": "hutong.node.commands:outbox",
    "ca": "hutong.node.tls_commands:ca",
    "tls": "hutong.node.tls_commands:tls_group",
    "doctor": "hutong.node.commands:doctor",
    "migrate": "hutong.node.commands:migrate",
    "account": "hutong.control.identity.cli:account",
    "department": "hutong.control.organisations.cli:department",
    "calendar": "hutong.control.calendar.cli:calendar",
    "rule": "hutong.control.statute.cli:rule",
    "replay": "hutong.control.statute.cli:replay",
    "clock": "hutong.control.clocks.cli:clock",
    "source": "hutong.control.catalogue.source_cli:source",
    "resource": "hutong.control.catalogue.cli:resource",
    "system": "hutong.control.catalogue.coverage_cli:system",
    "coverage": "hutong.control.catalogue.coverage_cli:coverage",
    "standard": "hutong.control.standards.cli:standard",
    "search": "hutong.control.catalogue.cli:search",
    "harvest": "hutong.control.catalogue.cli:harvest",
    "request": "hutong.control.requests.cli:request",
    "demand": "hutong.control.demands.cli:demand",
    "duties": "hutong.control.demands.lists_cli:duties",
    "negative-list": "hutong.control.demands.lists_cli:negative_list",
    "lists": "hutong.control.demands.lists_cli:lists",
    "oversight": "hutong.control.oversight.cli:oversight",
    "agreement": "hutong.control.conduct.cli:agreement",
    "zone": "hutong.control.zones.cli:zone",
    "offering": "hutong.control.offerings.cli:offering",
    "peer": "hutong.control.agreements.peer_cli:peer",
    "correction": "hutong.control.corrections.cli:correction",
    "use": "hutong.control.conduct.cli:use",
    "return": "hutong.control.returns.cli:return_flow",
    "meter": "hutong.control.metering.cli:meter",
    "subscription": "hutong.control.subscriptions.cli:subscription",
    "dispute": "hutong.control.disputes.cli:dispute",
    "key": "hutong.exchange.cli:key",
    "read": "hutong.exchange.cli:read",
    "watermark": "hutong.exchange.cli:watermark",
    "share": "hutong.exchange.sharing.cli:share",
    "drop": "hutong.exchange.drops:drop",
    "ledger": "hutong.ledger.cli:ledger",
    "demo": "hutong.demo.cli:demo",
}


class Parts(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, place in COMMANDS.items() if _installed(place.partition(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module, _, attribute = COMMANDS.get(cmd_name, "").partition(":")
        if not module or not _installed(module):
            return None
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=Parts)
@click.version_option(package_name="hutong")
def hutong() -> None:
    """Hutong 互通: jurisdictions share government data lawfully, fast and with proof.

    Every command names the node's folder first:

      hutong init ./jiangsu --jurisdiction 320000 --name-zh 江苏省 --name-en Jiangsu

      hutong serve ./jiangsu
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 refused, 2 wrongly called."""
    os.umask(0o077)  # whatever a command writes is the owner's alone
    try:
        code: Any = hutong.main(args=arguments, standalone_mode=False)
    except Refused as refused:
        refusals.said(refused)
        click.echo(refusal_text(refused, language()), err=True)
        sys.exit(1)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def refusal_text(refused: Refused, language: Language) -> str:
    """`error: what. changed. next`, in one language."""
    parts = [refused.say(language), refused.changed(language), refused.next_step(language)]
    if language == "zh":
        return "错误：" + "".join(part for part in parts if part)
    return "error: " + " ".join(part for part in parts if part)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
