"""The demo's users on FastAPI and SQLAlchemy, for `siding bench --only users,users-page --peer fastapi`."""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, create_engine, make_url, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

URL = make_url(os.environ["DATABASE_URL"])
# One for each connection of the load: no request waits for another's.
POOL = {"pool_size": 64, "max_overflow": 0}

engine = create_engine(URL.set(drivername="postgresql+psycopg"), **POOL)
async_engine = create_async_engine(URL.set(drivername="postgresql+asyncpg"), **POOL)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)


class UserPublic(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str


class UserPage(BaseModel):
    users: list[UserPublic]
    next: int | None


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


async def get_async_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(async_engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
AsyncSessionDep = Annotated[AsyncSession, Depends(get_async_session)]
Limit = Annotated[int, Query(ge=1, le=100)]
After = Annotated[int, Query(ge=0)]


def page_of(limit: int, after: int) -> Select[tuple[User]]:
    """One user more than the page has, which tells whether there is a next page."""
    return select(User).where(User.id > after).order_by(User.id).limit(limit + 1)


def as_page(users: list[User], limit: int) -> dict:
    shown = users[:limit]
    return {"users": shown, "next": shown[-1].id if len(users) > limit else None}


@app.get("/health")
async def health():
    return {"status": "ok"}


@app.get("/async/users/{user_id}", response_model=UserPublic)
async def find(user_id: int, session: AsyncSessionDep):
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "no such user")
    return user


@app.get("/sync/users/{user_id}", response_model=UserPublic)
def find_on_a_thread(user_id: int, session: SessionDep):
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "no such user")
    return user


@app.get("/async/users", response_model=UserPage)
async def page(session: AsyncSessionDep, limit: Limit = 20, after: After = 0):
    users = await session.scalars(page_of(limit, after))
    return as_page(list(users), limit)


@app.get("/sync/users", response_model=UserPage)
def page_on_a_thread(session: SessionDep, limit: Limit = 20, after: After = 0):
    users = session.scalars(page_of(limit, after))
    return as_page(list(users), limit)
