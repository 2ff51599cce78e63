"""`hutong account`: who may sign in at this node."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hutong.node.settings import setup
from hutong.terminal import AS_JSON, FOLDER, operator_name, print_json

if TYPE_CHECKING:
    from hutong.control.identity.models import Account

AS = click.option(
    "--as", "username", required=True, envvar="HUTONG_ACCOUNT", help="The account that acts (or HUTONG_ACCOUNT)."
)
AS_OPERATOR = click.option(
    "--as", "username", envvar="HUTONG_ACCOUNT", help="The account that acts; the operator when not given."
)
ROLES = click.Choice(["officer", "head", "steward", "supervisor", "auditor"])


def operator() -> Any:
    """The person at this command line, for the audit record."""
    from hutong.control.identity.rules import Operator

    return Operator(operator_name())


def account_of(username: str) -> Account:
    """The account of AS. raises   NotFound"""
    from hutong.control.identity import queries

    return queries.account(username)


def acting(username: str | None) -> Any:
    """The account of AS_OPERATOR, or else the person at this command line. raises   NotFound"""
    return account_of(username) if username else operator()


@click.group()
def account() -> None:
    """Accounts of people who sign in here."""


@account.command("add")
@FOLDER
@click.argument("username")
@click.option("--role", type=ROLES, required=True, help="What the person may do.")
@click.option("--department", "department_code", help="Unified social credit code; officers and heads need one.")
@click.option("--name", "display_name", default="", help="The name people see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
def add(
    folder: Path,
    username: str,
    *,
    role: str,
    department_code: str | None,
    display_name: str,
    password_stdin: bool,
    generate: bool,
) -> None:
    """Make an account.

    Example: hutong account add /srv/js wang --role officer --department 11370800MB28559184

    Asks for the password, unless --password-stdin or --generate is given. Adds one account and one audit record.
    """
    setup(folder)
    from hutong.control.identity.actions import create_account

    password = _password(password_stdin, generate)
    create_account(
        operator(),
        username=username,
        password=password,
        role=role,
        department_code=department_code,
        display_name=display_name,
    )
    click.echo(f"account {username} ({role}) was made.")
    if generate:
        click.echo(f"password: {password}")


@account.command("password")
@FOLDER
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
@click.option("--generate", is_flag=True, help="Make a password and print it once.")
def password(folder: Path, username: str, *, password_stdin: bool, generate: bool) -> None:
    """Give an account a new password. Ends its sessions, and a lock-out of its name.

    Example: hutong account password /srv/js wang --generate
    """
    setup(folder)
    from hutong.control.identity.actions import reset_password

    new = _password(password_stdin, generate)
    reset_password(operator(), username, new)
    click.echo(f"account {username} has a new password.")
    if generate:
        click.echo(f"password: {new}")


@account.command("email")
@FOLDER
@click.argument("username")
@click.argument("address")
def email(folder: Path, username: str, address: str) -> None:
    """Have an account's notices mailed to ADDRESS; "" for nowhere.

    Example: hutong account email /srv/js wang wang@example.gov.cn
    """
    setup(folder)
    from hutong.control.identity.actions import set_email

    found = set_email(operator(), username, address)
    click.echo(f"notices of {username} are {'mailed' if found.email else 'not mailed'}.")


@account.command("close")
@FOLDER
@click.argument("username")
def close(folder: Path, username: str) -> None:
    """Close an account: it signs in no more. Its records stay.

    Example: hutong account close /srv/js wang
    """
    setup(folder)
    from hutong.control.identity import actions, queries

    queries.account(username)
    actions.close_account(operator(), username)
    click.echo(f"account {username} is closed.")


@account.command("list")
@FOLDER
@AS_JSON
def listing(folder: Path, as_json: bool) -> None:
    """List the accounts. Changes nothing."""
    setup(folder)
    from hutong.control.identity.queries import accounts

    rows = [
        {"username": one.username, "role": one.role, "department": one.department_id or "", "open": one.is_active}
        for one in accounts()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['username']}  {row['role']}  {row['department']}{'' if row['open'] else '  closed'}")


def _password(from_stdin: bool, generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(15)
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
