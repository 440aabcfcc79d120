"""Registration with Gymnasium: `hook`, which Python runs at its start where a wheel is installed.

A wheel has the module at the top of site-packages, beside a `.pth` file that names it; a checkout has it
here.
"""

try:
    from openworld.adapters.discovery import _openworld_gymnasium as hook
except ImportError:
    import _openworld_gymnasium as hook

__all__ = ["hook"]
