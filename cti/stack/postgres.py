"""The private PostgreSQL cluster: made once, with its roles and its database, before its server first runs.

    rexian        owner of the database `rexian`; the controller's role
    rexian_read   reads every table, writes nothing; for reports, for the owner of the checkout and for root
    postgres      the superuser, for the daemons' user only (upgrades, repairs)
    bureau        owner of the database `bureau`, where the others may not connect; made by the bureau itself at its start

Nobody has a password: the Unix socket tells the server which user connects, pg_ident.conf says which role it may take.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from calls.errors import NotPossible
from cti.settings import Settings
from cti.stack.programs import postgres_tool

ROLES_AND_DATABASE = """\
CREATE ROLE rexian LOGIN;

CREATE ROLE rexian_read LOGIN;

ALTER ROLE rexian_read SET default_transaction_read_only = on;

CREATE DATABASE rexian OWNER rexian;

"""
RIGHTS = """\
ALTER SCHEMA public OWNER TO rexian;

GRANT USAGE ON SCHEMA public TO rexian_read;

ALTER DEFAULT PRIVILEGES FOR ROLE rexian GRANT SELECT ON TABLES TO rexian_read;

"""


def cluster_dir(settings: Settings) -> Path:
    """Where the cluster lies."""
    return settings.state_dir / "postgres"


def make_cluster(settings: Settings) -> None:
    """Make the cluster when there is none, aside and moved into place. Raises NotPossible in PostgreSQL's words."""
    cluster = cluster_dir(settings)
    if cluster.exists():
        return
    new = cluster.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    _run(
        str(postgres_tool("initdb")),
        f"--pgdata={new}",
        "--username=postgres",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--auth=peer",
        "--no-instructions",
    )
    single = (str(postgres_tool("postgres")), "--single", "-j", "-D", str(new))
    _run(*single, "postgres", text=ROLES_AND_DATABASE)
    _run(*single, "rexian", text=RIGHTS)
    new.rename(cluster)


def _run(*command: str, text: str = "") -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line]
    if done.returncode or wrong:  # the single-user server goes on after an error, and exits 0
        words = wrong or done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise NotPossible(
            f"PostgreSQL's cluster could not be made ({Path(command[0]).name}): {words[-1].strip()}. "
            "Mend: see that the disk of the state directory has room and is writable, then repeat."
        )
