"""Statements are loaded from files, with named parameters and without comments."""

import asyncpg
import pytest

from cruddur.db.statements import Statement, load, statement_names


def test_a_misspelt_name_is_refused_when_it_is_loaded() -> None:
    with pytest.raises(LookupError, match=r"activities\.hoem"):
        load("activities.hoem")


def test_parameters_are_numbered_and_casts_are_not_parameters() -> None:
    statement = Statement("x.y", "-- :not_one\nSELECT :b::uuid, :a, :b -- nor :this\n")
    assert statement.parameters == ("b", "a")
    assert statement.sql == "SELECT $1::uuid, $2, $1"


async def test_a_missing_or_surplus_argument_is_refused(database: asyncpg.Connection) -> None:
    statement = Statement("x.y", "SELECT :a::integer")
    with pytest.raises(TypeError, match=r"x\.y"):
        await statement.value(database)
    with pytest.raises(TypeError, match=r"x\.y"):
        await statement.value(database, a=1, b=2)
    with pytest.raises(KeyError):
        await statement.value(database, b=1)


async def test_every_statement_is_accepted_by_the_database(database: asyncpg.Connection) -> None:
    names = statement_names()
    assert len(names) > 50
    for name in names:
        prepared = await database.prepare(load(name).sql)
        assert len(prepared.get_parameters()) == len(load(name).parameters), name
