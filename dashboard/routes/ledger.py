"""The ledger: each book page by page, or as a file."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime
from starlette.responses import StreamingResponse

from base import ConfigError
from camera_config.time_limits import Category
from dashboard.authorize import Action, Principal
from dashboard.ledger_export import CSV_MOST, XLSX_MOST, Cell, Wording, csv_file, xlsx_file
from dashboard.ledger_schemas import LedgerOut
from dashboard.policy import Dashboard, Parts, policy
from dashboard.schemas import ID
from dashboard.sessions import actor_of
from patrol import Verdict
from patrol.ledger import COLUMNS, Book, LedgerFilter, unfit
from storage import Area

router = APIRouter(tags=["ledger"])

PAGE = 1000
"""Lines read at once for a file: nothing is held longer than that takes."""

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_AFTER = re.compile(r"(\d{1,12}(?:\.\d{1,12})?(?:e\+\d\d)?),([A-Za-z0-9_.\-]{0,64})")

Form = Annotated[Literal["csv", "xlsx"], Query(alias="format")]
Language = Literal["zh", "en"]
AS_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {} for kind in TYPES.values()}}
}  # Any: as FastAPI declares it

Place = Annotated[str, Query(pattern=ID)]
BookName = Annotated[Book, Path(examples=["incidents"])]


def _filter(
    book: BookName,
    begin: Annotated[AwareDatetime | None, Query(alias="from", examples=["2026-03-01T00:00:00Z"])] = None,
    before: Annotated[AwareDatetime | None, Query(alias="to", examples=["2026-04-01T00:00:00Z"])] = None,
    grid_cell: Place | None = None,
    compound: Place | None = None,
    community: Place | None = None,
    team: Place | None = None,
    kind: Annotated[str | None, Query(pattern=ID, description="of event or round; a referral's desk, a gap's cause")] = None,
    category: Category | None = None,
    severity: Annotated[int | None, Query(ge=1, le=4)] = None,
    verdict: Verdict | None = None,
    text: Annotated[str, Query(max_length=100)] = "",
) -> LedgerFilter:
    which = LedgerFilter(
        from_s=None if begin is None else begin.timestamp(),
        to_s=None if before is None else before.timestamp(),
        grid_cell=grid_cell or "",
        compound=compound or "",
        community=community or "",
        team=team or "",
        kind=kind or "",
        category=category or "",
        severity=severity,
        verdict=verdict or "",
        text=text.strip(),
    )
    wrong = unfit(book, which)
    if wrong:
        raise ConfigError(f"{', '.join(wrong)}: the book {book} cannot be searched by this")
    return which


Which = Annotated[LedgerFilter, Depends(_filter)]


@router.get("/api/v1/ledger/{book}")
def read_book(
    principal: Annotated[Principal, policy(Action.READ_LEDGER)],
    book: BookName,
    which: Which,
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before")] = None,
) -> LedgerOut:
    """A page of a book, newest first; with several filters, the lines that pass all of them."""
    match = _AFTER.fullmatch(after) if after is not None else None
    if after is not None and match is None:
        raise ConfigError("after: expected the `next` of a page of this book")
    begin = None if match is None else (float(match[1]), match[2])
    return LedgerOut.of(book, parts.store.ledger.page(book, which, limit, begin, principal.area))


@router.get("/api/v1/ledger/{book}/export", response_class=StreamingResponse, responses=AS_FILE)
def export_book(
    principal: Annotated[Principal, policy(Action.EXPORT_LEDGER)],
    book: BookName,
    which: Which,
    parts: Parts,
    form: Form = "csv",
    language: Language = "zh",
) -> StreamingResponse:
    """A book as a file: CSV of at most 1,000,000 lines, XLSX of at most 200,000; 422 if there are more. It is in the audit."""
    most = CSV_MOST if form == "csv" else XLSX_MOST
    count = parts.store.ledger.count(book, which, most, principal.area)
    if count > most:
        raise ConfigError(f"from, to: this book has more than {most} lines like that, too many for one {form} file; ask for less")
    parts.store.audit(actor_of(principal), "export_ledger", f"ledger/{book}", f"{form}, {count} lines")
    wording = Wording(parts.site, language == "zh")
    header = [wording.text(column.name) for column in COLUMNS[book]]
    return as_file(header, _rows(parts, book, which, wording, principal.area), book.value, form)


def as_file(header: list[str], rows: Iterator[list[Cell]], name: str, form: str) -> StreamingResponse:
    """The answer that a browser keeps as a file of this name and form."""
    pieces = (csv_file if form == "csv" else xlsx_file)(header, rows)
    disposition = f'attachment; filename="{name}.{form}"'
    return StreamingResponse(pieces, media_type=TYPES[form], headers={"Content-Disposition": disposition})


def _rows(parts: Dashboard, book: Book, which: LedgerFilter, wording: Wording, area: Area | None) -> Iterator[list[Cell]]:
    """Every line, read page by page: a slow client holds no connection to the database."""
    columns, after = COLUMNS[book], None
    while True:
        page = parts.store.ledger.page(book, which, PAGE, after, area)
        yield from ([wording.cell(column, line[column.key]) for column in columns] for line in page.lines)
        after = page.next
        if after is None:
            return
