"""The command that installs a missing package, from a checkout: OpenWorld is not on a package index."""


def install_command(extra: str = "") -> str:
    """Return the command that installs OpenWorld with an extra, and where to run it.

    Args:
        extra: name of the extra; "": OpenWorld alone.

    Example:
        >>> print(install_command("train"))
        pip install ".[train]" in the checkout
        >>> print(install_command())
        pip install . in the checkout
    """
    what = f'".[{extra}]"' if extra else "."
    return f"pip install {what} in the checkout"
