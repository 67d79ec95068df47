"""The command line in this process, and a model to call it on."""

import pytest
from click.testing import CliRunner

import pushforward as pf
from pushforward.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Call the command in an empty folder; `run(*words)` gives exit_code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*words, code=0):
        result = CliRunner().invoke(main, [str(word) for word in words])
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture
def refused(run, tmp_path):
    """Call the command, and hold it to the contract of errors: one line, exit code 2, nothing written."""

    def call(*words):
        before = sorted(tmp_path.rglob("*"))
        result = run(*words, code=2)
        assert result.stdout == ""
        assert result.stderr.startswith("pushforward: ") and result.stderr.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
        return result.stderr

    return call


@pytest.fixture(scope="session")
def penguins(tmp_path_factory):
    """A mixture of penguins, saved."""
    return (
        pf.GaussianMixture(components=3).fit("penguins", steps=5).save(tmp_path_factory.mktemp("models") / "penguins")
    )


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """A mixture of digits and their labels, saved."""
    mixture = pf.GaussianMixture(components=2, covariance="diagonal").fit("digits", steps=1)
    return mixture.save(tmp_path_factory.mktemp("models") / "digits")


@pytest.fixture(scope="session")
def moons(tmp_path_factory):
    """A diffusion of moons given which moon, saved."""
    return pf.Diffusion(width=8).fit("moons", given="moon", steps=2).save(tmp_path_factory.mktemp("models") / "moons")
