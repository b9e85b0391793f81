"""Where your table of users stands: here in SQLite."""

import sqlite3
from contextlib import closing
from typing import NamedTuple


class User(NamedTuple):
    id: str
    is_banned: bool


class Users:
    def __init__(self, file):
        self._file = file
        with closing(self._open()) as db, db:
            # AUTOINCREMENT: the id of a deleted user is never given to another.
            db.execute(
                "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT,"
                " app_id TEXT NOT NULL, openid TEXT NOT NULL, banned INTEGER NOT NULL DEFAULT 0,"
                " UNIQUE (app_id, openid))"
            )

    def upsert(self, app_id, openid):
        """The webhook may come twice for one login, at the same time too: one account has one user, whatever happens."""
        with closing(self._open()) as db, db:
            db.execute(
                "INSERT INTO users (app_id, openid) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (app_id, openid),
            )
            found = db.execute(
                "SELECT id, banned FROM users WHERE app_id = ? AND openid = ?", (app_id, openid)
            )
            return _user_of(found.fetchone())

    def by_id(self, user_id):
        """`None` for nobody."""
        with closing(self._open()) as db:
            found = db.execute("SELECT id, banned FROM users WHERE id = ?", (user_id,))
            return _user_of(found.fetchone())

    def _open(self):
        return sqlite3.connect(self._file, timeout=1)


def _user_of(row):
    return row and User(id=str(row[0]), is_banned=bool(row[1]))
