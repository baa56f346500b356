"""Measured values beside what they should reach, as a Markdown table."""

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass
class Row:
    figure: str
    reach: str
    measured: str
    fits: bool | None
    """None where nothing is to be reached."""
    beside: str


class Report:
    def __init__(self):
        self.rows, self.notes, self.wrong = [], [], []

    def add(self, figure, value, unit, *, at_most=None, at_least=None, beside=""):
        """One value; the reach is a bound in the same unit."""
        bound = at_most if at_most is not None else at_least
        fits = None if bound is None else (value <= bound if at_most is not None else value >= bound)
        sign = "≤" if at_most is not None else "≥"
        reach = "" if bound is None else f"{sign} {bound:g} {unit}"
        row = Row(figure, reach, f"{digits(value)} {unit}", fits, beside)
        self.rows.append(row)
        progress(f"{row.figure}: {row.measured}" + (f" (reach {row.reach})" if reach else "") + (f", {beside}" if beside else ""))

    def note(self, text):
        """A paragraph below the table."""
        self.notes.append(text)

    def fail(self, text):
        """Something answered wrongly: the figures around it mean nothing."""
        self.wrong.append(text)
        progress(f"WRONG: {text}")

    def check_load(self, name, result):
        for text, times in result.errors.items():
            self.fail(f"{name}: {times} of {result.count} answers: {text}")

    def text(self):
        lines = [("figure", "reach", "measured", "fits", "beside it")]
        lines += [(row.figure, row.reach, row.measured, {None: "", True: "yes", False: "NO"}[row.fits], row.beside) for row in self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(5)]
        as_row = lambda line: "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
        table = [as_row(lines[0]), "|" + "|".join("-" * (width + 2) for width in widths) + "|"] + [as_row(line) for line in lines[1:]]
        notes = [f"\n{note}" for note in self.notes]
        wrong = [f"\nWRONG: {text}" for text in self.wrong]
        return "\n".join(table + notes + wrong)


def digits(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def progress(text):
    print(text, file=sys.stderr, flush=True)


def machine(program):
    """What the figures were measured on."""
    with open("/proc/cpuinfo") as info:
        models = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    git = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=os.path.dirname(os.path.abspath(__file__)))
    load = os.getloadavg()[0]
    return (
        f"{time.strftime('%Y-%m-%d %H:%M')}, revision {git.stdout.strip() or 'unknown'}, {program.stat().st_size / 1e6:.0f} MB executable; "
        f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), Linux {platform.release()}, load average at the start {load:.1f}"
    )
