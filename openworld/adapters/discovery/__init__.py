"""Registration with Gymnasium: `hook`, which Python runs at its start where a wheel is installed.

A wheel has the module at the top of site-packages, beside a `.pth` file that names it; a checkout has it
here.
"""

try:
    from openworld.adapters.discovery import _openworld_gymnasium as hook
except ImportError:
    import _openworld_gymnasium as hook

__all__ = ["hook", "register_gymnasium"]


def register_gymnasium() -> None:
    """Register every id with Gymnasium, which is imported for it; what is registered already stays as it is.

    `import openworld` does so as soon as Gymnasium is imported, and of an installed package so does Python's
    start.

    Example:
        >>> import gymnasium
        >>> register_gymnasium()
        >>> "OpenWorld-v0" in gymnasium.registry
        True
    """
    import gymnasium.envs.registration  # noqa: F401 (the hook finds it among the imported modules)

    hook.register()
