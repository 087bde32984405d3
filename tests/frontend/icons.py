"""Draw the PNG icons of the front end from its SVG icon: `make icons`.

The browser of the tests draws them. Systems cut maskable icons to any shape, so the mark is inside
the safe zone, a circle of 80% of the width (https://www.w3.org/TR/appmanifest/#icon-masks).
"""

import asyncio
from base64 import b64encode
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import async_playwright

from e2e import browser_path

PUBLIC = Path(__file__).parents[2] / "frontend-react-js" / "public"
GROUND = "#3d0d7b"

ICONS = {
    "icon-192.png": (192, 1.0, None),
    "icon-512.png": (512, 1.0, None),
    "icon-maskable-192.png": (192, 0.62, GROUND),
    "icon-maskable-512.png": (512, 0.62, GROUND),
    "apple-touch-icon.png": (180, 0.72, GROUND),
}
"""For each file: its width in pixels, the share of the mark, and the background."""

COLORS = 64
"""The mark has three colors and the shades between them."""


async def draw() -> None:
    """Write all icons."""
    source = b64encode((PUBLIC / "icon.svg").read_bytes()).decode()
    async with async_playwright() as playwright:
        path, flags = browser_path.find(), browser_path.FLAGS
        browser = await playwright.chromium.launch(executable_path=path, args=[*flags])
        for name, (width, share, ground) in ICONS.items():
            page = await browser.new_page(viewport={"width": width, "height": width})
            await page.set_content(
                f"<body style='margin: 0; display: grid; place-items: center; height: 100vh;"
                f" background: {ground or 'transparent'}'>"
                f"<img style='width: {share:.0%}' src='data:image/svg+xml;base64,{source}'>"
            )
            await page.locator("img").evaluate("(image) => image.decode()")
            drawn = Image.open(BytesIO(await page.screenshot(omit_background=ground is None)))
            method = Image.Quantize.FASTOCTREE  # the only one that keeps transparency
            drawn.quantize(COLORS, method=method).save(PUBLIC / name, optimize=True)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
