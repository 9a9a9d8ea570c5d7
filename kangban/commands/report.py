"""x"""

import typer

app = typer.Typer()


def report() -> None: ...
