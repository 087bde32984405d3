"""The cost of password hashes, which must be high, and equal for known and unknown logins."""

import time

import asyncpg

from accounts import WRONG, Codes, open_account, sign_in
from support import Api


async def test_a_password_is_stored_as_a_hash_with_the_recommended_cost(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    stored = await database.fetchval("SELECT password_hash FROM accounts")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_an_unknown_login_also_costs_a_password_hash(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    await sign_in(api, WRONG, "nobody", expect=401)  # creates the decoy hash, once

    async def least_cpu_time(login: str) -> float:
        times = []
        for _ in range(4):
            begun = time.process_time()
            await sign_in(api, WRONG, login, expect=401)
            times.append(time.process_time() - begun)
        return min(times)

    # Without the hash, it would take a tenth of the time.
    assert await least_cpu_time("nobody") > await least_cpu_time("worf") / 3
