"""The data files of the demonstration's departments, one kind of source each."""

from __future__ import annotations

import csv
import math
import random
import sqlite3
from dataclasses import astuple, fields
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hutong.demo.seed.companies import Company, companies
from hutong.demo.seed.people import Person, people
from hutong.vocabulary.calendar import FIXED_HOLIDAYS, PUBLISHED

COMPANIES = 12_000
PEOPLE = 30_000
AIR_SEED = 3_300_002_025
AIR_CITIES = (
    "杭州市",
    "宁波市",
    "温州市",
    "嘉兴市",
    "湖州市",
    "绍兴市",
    "金华市",
    "衢州市",
    "舟山市",
    "台州市",
    "丽水市",
)
INSPECTIONS, INSPECTION_SEED = 4_800, 1_000_002_025
INSPECTED_CITIES = ("3101", "3201", "3205", "3301", "3304", "3401")
FOODS = ("食用油", "乳制品", "大米", "豆制品", "糕点", "茶叶")
DAYS = 731  # 2024 and 2025
# Lines that real exports have: a value too many, a value too few. They are quarantined by number.
MALFORMED = ("多余,的,列,在,这里,一,二,三,四,五,六,七", "缺列")


def write_companies(file: Path) -> None:
    """Shanghai's register: a SQLite database with an index on the code."""
    columns = [field.name for field in fields(Company)]
    with sqlite3.connect(file) as database:
        database.execute(
            "CREATE TABLE enterprise (uscc TEXT PRIMARY KEY, name TEXT NOT NULL, legal_representative TEXT, phone TEXT,"
            " district TEXT, area_code TEXT, industry TEXT, registered_capital_wan INTEGER, established_on TEXT,"
            " state TEXT)"
        )
        places = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO enterprise VALUES ({places})", map(astuple, companies(COMPANIES)))  # noqa: S608
    database.close()


def write_people(file: Path) -> None:
    """Jiangsu's insured people: a CSV as an office exports it, GB18030 with two malformed lines."""
    with file.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([field.name for field in fields(Person)])
        for index, person in enumerate(people(PEOPLE)):
            if index in (1_000, 20_000):
                stream.write(MALFORMED[index // 20_000] + "\r\n")
            writer.writerow(astuple(person))


def write_air(file: Path) -> None:
    """Zhejiang's daily air: Parquet."""
    chance = random.Random(AIR_SEED)  # noqa: S311
    rows = [
        (city, date(2024, 1, 1) + timedelta(days=day), *_air(chance, day)) for day in range(DAYS) for city in AIR_CITIES
    ]
    names = ("city", "day", "pm25", "pm10", "no2", "o3_8h")
    types = (pa.string(), pa.date32(), pa.float64(), pa.float64(), pa.float64(), pa.float64())
    columns = [pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), types, strict=True)]
    pq.write_table(pa.table(columns, names=list(names)), file)


def _air(chance: random.Random, day: int) -> tuple[float, float, float, float]:
    """Fine dust is high in winter, ozone in summer; micrograms per cubic metre."""
    winter = (1 + math.cos(2 * math.pi * day / 365.25)) / 2
    pm25 = chance.gauss(18 + 30 * winter, 8)
    return (
        round(max(pm25, 3), 1),
        round(max(pm25 * 1.5 + chance.gauss(6, 4), 5), 1),
        round(max(chance.gauss(18 + 18 * winter, 6), 3), 1),
        round(max(chance.gauss(150 - 80 * winter, 20), 20), 1),
    )


def write_holidays(file: Path) -> None:
    """The nation's days off and make-up working days of 2024 and 2025: CSV, UTF-8 with a mark, as spreadsheets do."""
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["day", "weekday", "working", "exception"])
        for step in range(DAYS):
            day = date(2024, 1, 1) + timedelta(days=step)
            works = PUBLISHED.works(day)
            usual = day.isoweekday() <= 5
            kind = "" if works == usual else "makeup_workday" if works else "holiday"
            writer.writerow([day.isoformat(), day.isoweekday(), str(works).lower(), kind])


def write_inspections(file: Path) -> None:
    """The nation's food inspections: CSV, each row with the area code of the county it was made in."""
    chance = random.Random(INSPECTION_SEED)  # noqa: S311
    counties = [f"{city}{county:02d}" for city in INSPECTED_CITIES for county in (2, 4, 6)]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["number", "area_code", "food", "day", "passed"])
        for number in range(INSPECTIONS):
            day = date(2025, 1, 1) + timedelta(days=chance.randrange(365))
            passed = "false" if chance.random() < 0.03 else "true"
            row = (f"CJ{number:06d}", chance.choice(counties), chance.choice(FOODS), day.isoformat(), passed)
            writer.writerow(row)


def write_demonstration_calendar(file: Path, today: date) -> bool:
    """Let the demonstration's clocks run in years whose holidays are not published yet; false where none is needed.

    A real node's operator loads what was announced. Here only the three fixed holidays are known.
    """
    missing = {today.year, today.year + 1} - PUBLISHED.years
    if not missing:
        return False
    lines = [f"{year}-{month:02d}-{day:02d},holiday" for year in sorted(missing) for month, day in FIXED_HOLIDAYS]
    file.write_text("\n".join(["date,kind", *lines]) + "\n", encoding="utf-8")
    return True
