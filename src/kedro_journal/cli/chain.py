"""`show --chain`: a resumed session as a whole."""

from __future__ import annotations

import click

from kedro_journal.replaying.lineage import Located, whole_chain
from kedro_journal.replaying.select import Chosen
from kedro_journal.views.chain import chain_data, chain_view
from kedro_journal.views.data import json_text
from kedro_journal.views.terminal import Screen

__all__ = ["show_chain"]


def show_chain(chosen: Chosen, here: Screen, *, as_json: bool) -> str:
    """Print the chain that a session belongs to, and return its verdict."""
    chain = whole_chain(Located.of(chosen))
    if as_json:
        click.echo(json_text(chain_data(chain, here)), nl=False)
    else:
        click.echo(chain_view(chain, here), nl=False)
    return chain.verdict
