import pytest

from openworld.judging import protocols
from tests.judging.small import SMALL, Walker, judged


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Every test knows the small protocol by its name."""
    monkeypatch.setitem(protocols.PROTOCOLS, SMALL.name, SMALL)


@pytest.fixture(scope="session")
def made():
    """A result that is true."""
    return judged(Walker)


@pytest.fixture
def path(made, tmp_path):
    return made.save(tmp_path / "walker.json")
