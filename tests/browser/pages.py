"""What every page must keep, whatever it shows."""

from axe_playwright_python.sync_playwright import Axe

_SERIOUS = ("serious", "critical")


def serious_barriers(page):
    """Give what a check for accessibility finds, in lines of rule and place; empty: nothing serious."""
    found = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['html'][:120]}"
        for violation in found
        if violation["impact"] in _SERIOUS
        for node in violation["nodes"]
    ]


def sticks_out(page):
    """Give the elements that make the page wider than the window, in which one would have to scroll sideways."""
    return page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.body.querySelectorAll('*')]
                .filter(element => element.getBoundingClientRect().right > width + 1)
                .map(element => element.tagName + '.' + element.className)
                .slice(0, 5);
        }"""
    )


def reached_by_tab(page, most=200):
    """Press Tab until the focus is back at the start; give a description of each element that it came to."""
    reached = []
    for _ in range(most):
        page.keyboard.press("Tab")
        name = page.evaluate(
            """() => {
                const element = document.activeElement;
                if (!element || element === document.body) return null;
                return `${element.tagName.toLowerCase()}#${element.id}.${element.getAttribute('class') || ''}`
                    + ` ${element.getAttribute('aria-label') || (element.textContent || '').trim().slice(0, 40)}`;
            }"""
        )
        if name is None or (reached and name == reached[0]):
            break
        reached.append(name)
    return reached
