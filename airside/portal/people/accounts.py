"""The operator's pages on accounts: list, deactivate, reactivate."""

from falcon.asgi import Request, Response

from airside.db.base import Row
from airside.errors import NotFound, Refused
from airside.identity.proof import is_proven
from airside.identity.users import deactivate_user, find_user, reactivate_user
from airside.portal.logos import shown_picture
from airside.portal.pagination import cut_page, read_page
from airside.portal.visit import Page, Visit, enter
from airside.workspaces.find import list_people_of_instance

HERE = "/admin/people/"
PER_PAGE = 50
MAX_NAMED = 5  # workspaces in one line


class Accounts(Page):
    """GET /admin/people/?page=N"""

    async def on_get(self, req: Request, resp: Response) -> None:
        visit = (await enter(self.site, req, resp)).require_operator()
        page = read_page(req, HERE, PER_PAGE)
        found = await list_people_of_instance(self.site.db, limit=PER_PAGE + 1, offset=page.offset)
        page, shown = cut_page(page, found)
        visit.show("admin/people.html", people=[show_account(visit, row) for row in shown], page=page.links())


class DeactivateAccount(Page):
    """GET and POST /admin/people/<user id>/deactivate/"""

    async def on_get(self, req: Request, resp: Response, user_id: str) -> None:
        visit = (await enter(self.site, req, resp)).require_operator()
        self._ask(visit, await self._get_person(user_id), "")

    async def on_post(self, req: Request, resp: Response, user_id: str) -> None:
        visit = await enter(self.site, req, resp)
        await visit.read_form()
        visit.require_operator()
        person = await self._get_person(user_id)
        try:
            await deactivate_user(self.site, person["id"], visit.user_id)
        except Refused as error:
            self._ask(visit, person, error.sentence)
            return
        visit.go(HERE, "person_deactivated")

    async def _get_person(self, user_id: str) -> Row:
        person = await find_user(self.site.db, user_id)
        if person is None or person["is_bot"]:
            raise NotFound("There is no such person.")
        return person

    def _ask(self, visit: Visit, person: Row, refusal: str) -> None:
        visit.show(
            "confirm.html",
            status=422 if refusal else 200,
            nav="people",
            crumbs=[("People", HERE)],
            title=f"Deactivate {person['display_name']}?",
            sentences=[
                f"{person['email']} is signed out at once and can't sign in any more.",
                "Their API keys are revoked, and what apps could do in their name ends.",
                "What they wrote stays. You can let them back in.",
            ],
            words="Deactivate",
            action=f"{HERE}{person['id']}/deactivate/",
            cancel_href=HERE,
            ask_password=False,
            refusal=refusal,
            errors={},
        )


class ReactivateAccount(Page):
    """POST /admin/people/<user id>/reactivate/"""

    async def on_post(self, req: Request, resp: Response, user_id: str) -> None:
        visit = await enter(self.site, req, resp)
        await visit.read_form()
        visit.require_operator()
        await reactivate_user(self.site, user_id, visit.user_id)
        visit.go(HERE, "person_reactivated")


def show_account(visit: Visit, row: Row) -> Row:
    named = row["workspaces"][:MAX_NAMED]
    more = len(row["workspaces"]) - len(named)
    return {
        "name": row["display_name"],
        "email": row["email"],
        "avatar_url": shown_picture(row["avatar_url"]),
        "is_bot": False,
        "is_you": row["id"] == visit.user_id,
        "is_operator": row["is_operator"],
        "is_active": row["is_active"],
        "is_proven": is_proven(row),
        "workspaces": ", ".join(named) + (f" and {more} more" if more else ""),
        "path": f"{HERE}{row['id']}/",
    }
