"""`kangban simulate …`: virtual devices and households."""

import typer

app = typer.Typer()
