"""Account forms: sign up, sign in, sign out, and reset a password."""

import re

from playwright.async_api import Page, expect

from e2e.screen import PASSWORD, Visit, Watch, code_for, settle
from support import Api, Member
from telemetry.serving import Served

HOME = re.compile(r"/$")


async def fill(page: Page, **fields: str) -> None:
    """Fill in fields by their labels, and submit the form."""
    for label, text in fields.items():
        field = page.get_by_label(label.replace("_", " "), exact=True)
        await field.fill(text)
    await field.press("Enter")


async def sign_in(page: Page, who: str, password: str = PASSWORD) -> None:
    await page.get_by_label("Email or handle").fill(who)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def test_sign_up_confirm_and_post(visit: Visit, service: Served, watch: Watch) -> None:
    page = await visit(path="/about")
    await page.get_by_role("region", name="Join").get_by_role("link", name="Join now").click()
    await expect(page.get_by_role("heading", name="Join Cruddur")).to_be_visible()
    await fill(page, Name="Worf", Handle="@Worf", Email="worf@example.com", Password=PASSWORD)

    await expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    await expect(page.get_by_label("Email")).to_have_value("worf@example.com")
    await expect(page.get_by_role("main")).to_contain_text(
        "printed in the terminal that runs Cruddur"
    )
    code = await code_for(service, "worf@example.com")
    watch.expect(422, "/api/auth/confirm")
    await fill(page, Code="000000" if code != "000000" else "111111")
    await expect(page.get_by_label("Code")).to_have_accessible_description(
        re.compile("That code is wrong or has expired")
    )
    await expect(page.get_by_label("Code")).to_be_focused()

    await page.get_by_role("button", name="Send a new code").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("New code printed")
    code = await code_for(service, "worf@example.com", but=code)
    await fill(page, Code=f"{code[:3]} {code[3:]}")

    await expect(page).to_have_url(re.compile("/about$"))  # where it started
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Welcome to Cruddur")
    await page.get_by_role("link", name="Home", exact=True).click()
    await page.get_by_label("What’s on your mind?").fill("Today is a good day to #crud")
    await page.get_by_label("Lives for").select_option("3 hours")
    await page.get_by_role("button", name="Crud it").click()
    mine = page.get_by_role("article", name="Crud by Worf")
    await expect(mine).to_contain_text("Today is a good day to #crud")
    await expect(page.get_by_label("What’s on your mind?")).to_have_value("")

    elsewhere = await visit()
    seen = elsewhere.get_by_role("article", name="Crud by Worf")
    await expect(seen).to_contain_text("Today is a good day to #crud")
    await expect(seen).to_contain_text("2h 59m left")


async def test_sign_up_errors_are_shown_at_their_field(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(path="/signup")
    watch.expect(422, "/api/auth/signup")
    await fill(page, Name="Kurn", Handle=worf.handle, Email="kurn", Password="kurn")
    handle, password = page.get_by_label("Handle"), page.get_by_label("Password")
    await expect(handle).to_have_accessible_description(re.compile("Try another"))
    await expect(handle).to_be_focused()
    await expect(password).to_have_accessible_description(re.compile("too easy to guess"))
    await expect(page.get_by_label("Email")).to_have_accessible_description(
        re.compile("look like an email address")
    )
    await fill(page, Handle="kurn", Email="kurn@example.com")
    await expect(password).to_be_focused()
    await expect(password).to_have_accessible_description(re.compile("too easy to guess"))
    await expect(handle).not_to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Name")).to_have_value("Kurn")


async def test_an_unconfirmed_member_is_led_to_the_confirmation_page(
    visit: Visit, service: Served, watch: Watch, api: Api
) -> None:
    email = "ro@example.com"
    await api.post(
        "/api/auth/signup",
        {"handle": "ro", "display_name": "Ro", "email": email, "password": PASSWORD},
    )
    page = await visit(path="/signin")
    watch.expect(401, "/api/auth/signin")
    watch.expect(403, "/api/auth/signin")
    await sign_in(page, email, "not the password")
    await expect(page.get_by_role("alert").first).to_contain_text("password doesn’t match")
    await expect(page.get_by_label("Email or handle")).to_have_value(email)

    await sign_in(page, email)
    await expect(page.get_by_role("alert").first).to_contain_text("isn’t confirmed yet")
    await page.get_by_role("link", name="Enter the code").click()
    await expect(page.get_by_label("Email")).to_have_value(email)
    await fill(page, Code=await code_for(service, email))
    await expect(page).to_have_url(HOME)
    await expect(page.get_by_role("link", name="Settings")).to_be_visible()


async def test_a_forgotten_password_can_be_reset(
    visit: Visit, service: Served, watch: Watch, worf: Member
) -> None:
    before = await visit(worf, "/settings")
    await expect(before.get_by_role("region", name="Devices")).to_contain_text("This device")
    page = await visit(path="/signin")
    await page.get_by_role("link", name="Forgot your password?").click()
    await fill(page, Email="worf@example.com")
    await expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    await expect(page.get_by_label("Email")).to_have_value("worf@example.com")
    watch.expect(401, "/api/*")  # the other browser's session ends
    await fill(
        page,
        Code=await code_for(service, "worf@example.com"),
        New_password="a warrior forgets nothing",
    )
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Password changed")
    watch.expect(401, "/api/auth/signin")
    await fill(page, Password=PASSWORD)
    await expect(page.get_by_role("alert").first).to_contain_text("password doesn’t match")
    await fill(page, Password="a warrior forgets nothing")
    await expect(page).to_have_url(HOME)
    await expect(before.get_by_role("heading", name="Members only")).to_be_visible()


async def test_a_visitor_who_likes_a_crud_signs_in_and_returns_to_it(
    visit: Visit, worf: Member
) -> None:
    crud = await worf.crud()
    address = f"/@worf/status/{crud['uuid']}"
    page = await visit(path=address)
    for act, why in (
        ("Like", "Sign in to like"),
        ("Repost", "Sign in to repost"),
        ("Reply", "Sign in to reply"),
    ):
        await page.get_by_role("button", name=act).click()
        await expect(page.get_by_role("heading", name=why)).to_be_visible()
        await page.go_back()
        await expect(page.get_by_role("heading", name="Crud")).to_be_visible()
    await page.goto("/@worf")
    await page.get_by_role("button", name="Message").click()
    await expect(page.get_by_role("heading", name="Sign in to message @worf")).to_be_visible()
    await page.go_back()
    for place in ("/notifications", "/messages", "/messages/@worf", "/settings"):
        await page.goto(place)
        await expect(page.get_by_role("heading", name="Members only")).to_be_visible()

    await page.goto(address)
    await page.get_by_role("button", name="Like").click()
    await sign_in(page, "worf")
    await expect(page).to_have_url(re.compile(f"{address}$"))
    await page.get_by_role("button", name="Like").click()
    await expect(page.get_by_role("button", name="Like, 1 like")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Members only")).not_to_be_visible()


async def test_all_tabs_of_a_browser_share_the_session(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    one = await visit(worf, "/settings")
    await settle(one, watch)  # a request during the sign-out could fail
    other = await one.context.new_page()
    await other.goto("/")
    await expect(other.get_by_label("What’s on your mind?")).to_be_visible()
    await settle(other, watch)
    await one.bring_to_front()  # a background tab does not render
    await one.get_by_role("button", name="Sign out", exact=True).click()
    await expect(one).to_have_url(HOME)
    for page in (one, other):
        await expect(page.get_by_role("region", name="Join")).to_be_visible()
        await expect(page.get_by_label("What’s on your mind?")).not_to_be_visible()
    await other.reload()
    await expect(other.get_by_role("region", name="Join")).to_be_visible()

    await one.bring_to_front()
    await one.get_by_role("navigation").get_by_role("link", name="Sign in").click()
    await sign_in(one, "worf")
    for page in (one, other):
        await expect(page.get_by_label("What’s on your mind?")).to_be_visible()
    await one.reload()
    await expect(one.get_by_role("link", name="Settings")).to_be_visible()
