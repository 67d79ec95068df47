"""Help follows from the dataclasses, and leaves nothing out."""

import dataclasses

import click
import pytest

from pushforward.cli import main
from pushforward.cli.options import of_parameters
from pushforward.cli.root import COMMANDS
from pushforward.families import FAMILIES, family
from pushforward.training.run import Run


def options_of(*words):
    """The options of a command by name, as they are parsed."""
    command, ctx = main, click.Context(main, info_name="pushforward")
    for word in words:
        command = command.get_command(ctx, word)
        ctx = click.Context(command, parent=ctx, info_name=word)
    return [name for param in command.get_params(ctx) for name in (*param.opts, *param.secondary_opts)]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page(run, name):
    page = run(name, "--help").stdout
    assert page.startswith(f"Usage: pushforward {name}") and "--help" in page


def test_without_a_word_it_says_what_there_is(run):
    page = run().stdout
    assert page == run("--help").stdout
    assert all(f"  {name}" in page and line in page for name, line in COMMANDS.items())


def test_pages_fit_a_terminal(run):
    for words in ([], ["fit"], ["fit", "gaussian-mixture"], ["sample"], ["describe"]):
        assert max(map(len, run(*words, "--help").stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_shows_every_hyperparameter_with_range_and_default(run, name):
    page = " ".join(run("fit", name, "--help").stdout.split()).replace("- ", "-")  # lines may end at a hyphen
    parameters = family(name).parameters()
    shown = {option.name for option in of_parameters(parameters, "")}
    for parameter in parameters.values():
        if parameter.name in shown:
            assert f"--{parameter.name.replace('_', '-')}" in page
            assert parameter.doc in page and parameter.range in page
    used = family(name).budget()
    for field in dataclasses.fields(Run):
        assert (f"--{field.name} " in page) == (field.name in used)


@pytest.mark.parametrize("name", FAMILIES)
def test_no_two_options_of_a_family_share_a_name(name):
    names = options_of("fit", name)
    assert len(names) == len(set(names))
    own = [option.opts[0] for option in of_parameters(family(name)().options(), "")]
    assert not set(own) & set(options_of("sample"))


def test_help_of_sample_shows_the_options_of_the_model_it_is_asked_about(run, moons, penguins):
    assert "--guidance" in run("sample", moons, "--help").stdout
    assert "--guidance" not in run("sample", penguins, "--help").stdout


def test_the_built_in_data_is_listed(run):
    assert "penguins" in run("describe", "--help").stdout
