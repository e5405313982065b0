"""Computes the constants of the inverse normal distributions in stream version 1.

Run `python tools/make_coefficients.py` to rewrite the three files that carry them:
`cc/stream/normal_coefficients.h` (C++), `tf_vsinit/normal_coefficients.py` (NumPy) and
`docs/stream_v1_constants.txt` (for any language). With `--check` nothing is written and the exit
status says whether the files are up to date. All arithmetic is mpmath's and Arb's at 50 digits or
more, so the result does not depend on the machine.

Float32 uses piecewise polynomials, float64 rational functions. Those whose error matters approach
the minimax by exchange steps of Remez's second algorithm (Cody, Fraser and Hart, Numerische
Mathematik 12, 1968), not always to the end; the others interpolate at Chebyshev nodes.
`docs/stream.md` says how each constant is used.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import pathlib
import struct
import sys
from collections.abc import Callable, Sequence

import flint
import mpmath as mp

mp.mp.dps = 50

ROOT = pathlib.Path(__file__).absolute().parent.parent
HEADER = ROOT / "cc" / "stream" / "normal_coefficients.h"
MODULE = ROOT / "tf_vsinit" / "normal_coefficients.py"
TEXT = ROOT / "docs" / "stream_v1_constants.txt"

Function = Callable[[mp.mpf], mp.mpf]
Coefficients = list[mp.mpf]

# Probability that a standard normal lies within two standard deviations.
MASS = mp.erf(mp.sqrt(2))
# The row of the float32 truncated table is round(8 u^2), u = t^2 + ROW_OFFSET.
ROW_OFFSET = mp.mpf(49) / 128
# Float64 leaves the central rational for the tail below this doubled tail probability.
TAIL = mp.mpf("0.15")
# Rational fits accept an error that is level to this relative tolerance.
LEVEL = mp.mpf("0.01")


def to_float32(value: mp.mpf) -> float:
    """Rounds to the nearest float32 (through float64, 29 bits wider: exact for our inputs)."""
    return struct.unpack("<f", struct.pack("<f", float(value)))[0]


def truncated(t: mp.mpf) -> mp.mpf:
    """Truncated normal deviate at p = (1 + t)/2, for t in [0, 1]."""
    return mp.sqrt(2) * mp.erfinv(t * MASS)


def tail_deviate(doubled_tail: mp.mpf) -> mp.mpf:
    """Solves erfc(z/sqrt(2)) = doubled_tail for z by Halley's iteration."""
    y = mp.sqrt(-mp.log(doubled_tail)) if doubled_tail < mp.mpf("0.5") else mp.mpf("0.3")
    for _ in range(100):
        step = (mp.erfc(y) - doubled_tail) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        step = step / (1 - y * step) if abs(y * step) < mp.mpf("0.5") else step
        y += step
        if abs(step) < mp.mpf(10) ** (5 - mp.mp.dps):
            break
    return mp.sqrt(2) * y


@functools.cache
def untruncated_ratio(log2_inverse: mp.mpf) -> mp.mpf:
    """z/t of the normal deviate, where 1 - t^2 = 2^-log2_inverse."""
    v = mp.mpf(2) ** -log2_inverse
    if 1 - v < mp.mpf(10) ** -25:
        return mp.sqrt(mp.pi / 2)
    t = mp.sqrt(1 - v)
    return tail_deviate(v / (1 + t)) / t


def chebyshev_interpolant(
    function: Function, low: mp.mpf, high: mp.mpf, degree: int
) -> Coefficients:
    """Coefficients, ascending, of the polynomial through the Chebyshev nodes of [low, high]."""
    count = degree + 1
    nodes = [
        (low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * k + 1) / (2 * count))
        for k in range(count)
    ]
    rows = [[node**j for j in range(count)] for node in nodes]
    return solve_linear(rows, [function(node) for node in nodes])


def shifted(coefficients: Sequence[mp.mpf], scale: int, offset: mp.mpf) -> Coefficients:
    """Coefficients in y of the polynomial whose variable is scale * y + offset."""
    result = [mp.mpf(0)] * len(coefficients)
    for k, coefficient in enumerate(coefficients):
        for i in range(k + 1):
            result[i] += coefficient * mp.binomial(k, i) * mp.mpf(scale) ** i * offset ** (k - i)
    return result


def solve_linear(rows: Sequence[Sequence[mp.mpf]], values: Sequence[mp.mpf]) -> list[mp.mpf]:
    """Solves a square linear system with Arb, whose elimination is much faster than mpmath's."""
    # Elimination loses up to 35 digits.
    with flint.ctx.workdps(2 * mp.mp.dps):
        solution = flint.arb_mat([[_arb(x) for x in row] for row in rows]).solve(
            flint.arb_mat([[_arb(x)] for x in values])
        )
    return [mp.mpf(tuple(map(int, x.mid().man_exp()))) for x in solution.entries()]


def _arb(value: mp.mpf) -> flint.arb:
    mantissa, exponent = value.man_exp
    return flint.arb((int(mp.sign(value)) * int(mantissa), exponent))


class RationalFit:
    """Minimax rational P(x)/Q(x) of a function on an interval with a weight on the error.

    `crowding` gathers the grid near the upper end, for functions that vary fastest there.
    """

    def __init__(
        self,
        function: Function,
        weight: Function,
        interval: tuple[mp.mpf, mp.mpf],
        degrees: tuple[int, int],
        crowding: int = 1,
    ) -> None:
        self._function = functools.cache(function)
        self._weight = functools.cache(weight)
        self._degrees = degrees
        self._count = sum(degrees) + 2
        low, high = interval

        def abscissa(angle: mp.mpf) -> mp.mpf:
            return high - (high - low) * ((1 + mp.cos(angle)) / 2) ** crowding

        points = 12 * self._count
        self._grid = sorted(abscissa(mp.pi * k / points) for k in range(points + 1))
        self._nodes = sorted(
            abscissa(mp.pi * (k + mp.mpf(1) / 2) / self._count) for k in range(self._count)
        )
        self._level = mp.mpf(0)

    def solve(self) -> tuple[Coefficients, Coefficients]:
        """Exchanges nodes until the error is level; returns P and Q with Q(0) = 1."""
        for _ in range(60):
            numerator, denominator = self._level_on_nodes()
            errors = [self._error(numerator, denominator, x) for x in self._grid]
            extrema = self._alternating_extrema(errors)
            if len(extrema) < self._count:
                break
            self._nodes = [self._refined(errors, k) for k in extrema]
            sizes = [abs(errors[k]) for k in extrema]
            if max(sizes) - min(sizes) < LEVEL * max(sizes):
                break
        return numerator, denominator

    def _level_on_nodes(self) -> tuple[Coefficients, Coefficients]:
        top, bottom = self._degrees
        for _ in range(30):
            rows, values = [], []
            for i, x in enumerate(self._nodes):
                weight, sign = self._weight(x), (-1) ** i
                powers = [x**j for j in range(max(top, bottom) + 1)]
                values.append(weight * self._function(x))
                shifted_value = values[i] + sign * self._level
                rows.append(
                    [weight * power for power in powers[: top + 1]]
                    + [-shifted_value * power for power in powers[1 : bottom + 1]]
                    + [mp.mpf(-sign)]
                )
            solution = solve_linear(rows, values)
            change = abs(solution[self._count - 1] - self._level)
            self._level = solution[self._count - 1]
            if change < abs(self._level) * mp.mpf(10) ** -10:
                break
        return (
            [solution[j] for j in range(top + 1)],
            [mp.mpf(1)] + [solution[top + j] for j in range(1, bottom + 1)],
        )

    def _error(self, numerator: Coefficients, denominator: Coefficients, x: mp.mpf) -> mp.mpf:
        value = mp.polyval(numerator[::-1], x) / mp.polyval(denominator[::-1], x)
        return self._weight(x) * (value - self._function(x))

    def _alternating_extrema(self, errors: Sequence[mp.mpf]) -> list[int]:
        runs = [[0]]
        for k in range(1, len(errors)):
            if (errors[k] > 0) == (errors[runs[-1][-1]] > 0):
                runs[-1].append(k)
            else:
                runs.append([k])
        extrema = [max(run, key=lambda k: abs(errors[k])) for run in runs]
        while len(extrema) > self._count:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        return extrema

    def _refined(self, errors: Sequence[mp.mpf], k: int) -> mp.mpf:
        """Abscissa of the vertex of the parabola through grid point k and its neighbours."""
        if k in (0, len(errors) - 1):
            return self._grid[k]
        (x0, x1, x2), (y0, y1, y2) = self._grid[k - 1 : k + 2], errors[k - 1 : k + 2]
        curvature = y0 * (x1 - x2) + y1 * (x2 - x0) + y2 * (x0 - x1)
        if curvature == 0:
            return x1
        vertex = (x0**2 * (y1 - y2) + x1**2 * (y2 - y0) + x2**2 * (y0 - y1)) / (2 * curvature)
        return vertex if x0 < vertex < x2 else x1


def float32_truncated_rows() -> list[list[float]]:
    """Rows 0..15 of (centre, c0..c5): z = c0 + x (c1 + ... x c5), x = t - centre."""
    first, last = 1, 15
    edges = [mp.mpf(0)]
    edges += [
        mp.sqrt(mp.sqrt((row + mp.mpf(1) / 2) / 8) - ROW_OFFSET) for row in range(first, last)
    ]
    edges += [mp.mpf(1)]
    rows = [[0.0] * 7]  # Row 0 is never selected: 8 ROW_OFFSET^2 already rounds to 1.
    for row in range(first, last + 1):
        low, high = edges[row - first], edges[row - first + 1]
        centre, value = (mp.mpf(0), 0.0) if row == first else _representable(low, high)

        def quotient(x: mp.mpf, centre: mp.mpf = centre) -> mp.mpf:
            if x == 0:
                return mp.diff(truncated, centre)
            return (truncated(centre + x) - truncated(centre)) / x

        def weight(x: mp.mpf, centre: mp.mpf = centre) -> mp.mpf:
            return abs(x) / truncated(centre + x) if centre else mp.mpf(1)

        fit = RationalFit(quotient, weight, (low - centre, high - centre), (4, 0))
        slope, _ = fit.solve()
        rows.append([float(centre), value] + [to_float32(c) for c in slope])
    return rows


def _representable(low: mp.mpf, high: mp.mpf) -> tuple[mp.mpf, float]:
    """A point near the middle whose deviate is closest to a float32, and that float32.

    Storing c0 exactly keeps its rounding out of the error (Gal's accurate tables).
    """
    step = mp.mpf(2) ** -18
    middle = mp.nint((low + high) / 2 / step) * step
    best = min(
        (middle + k * step for k in range(-60, 61)),
        key=lambda x: abs(to_float32(truncated(x)) - truncated(x)) / truncated(x),
    )
    return best, to_float32(truncated(best))


def float32_untruncated_rows() -> list[list[float]]:
    """Rows 0..15 of c0..c5: z/t = c0 + x (c1 + ...), x = -log2(1 - t^2) - 2 row."""
    rows = []
    for row in range(16):
        low = mp.mpf(0) if row == 0 else mp.mpf(-1) / 2
        coefficients = chebyshev_interpolant(
            lambda x, row=row: untruncated_ratio(2 * row + x), low, mp.mpf(3) / 2, 5
        )
        rows.append([to_float32(c) for c in coefficients])
    return rows


def logarithm(base: mp.mpf, degree: int) -> Coefficients:
    """Coefficients of log(1 + f)/f in the given base, for 1 + f in [sqrt(1/2), sqrt(2)]."""
    return chebyshev_interpolant(
        lambda f: mp.log1p(f) / f / mp.log(base),
        1 / mp.sqrt(2) - 1,
        mp.sqrt(2) - 1,
        degree,
    )


def float64_truncated() -> tuple[Coefficients, Coefficients]:
    """P, Q in v = 1 - t^2 with z/t = 2 + v P(v)/Q(v)."""

    def ratio(s: mp.mpf) -> mp.mpf:
        t = mp.sqrt(s)
        return truncated(t) / t if t > mp.mpf(10) ** -20 else mp.sqrt(mp.pi / 2) * MASS

    def excess(s: mp.mpf) -> mp.mpf:
        v = max(1 - s, mp.mpf(10) ** -18)
        return (ratio(1 - v) - 2) / v

    fit = RationalFit(excess, lambda s: (1 - s) / ratio(s), (mp.mpf(0), mp.mpf(1)), (10, 10), 2)
    return _normalised(*(shifted(c, -1, mp.mpf(1)) for c in fit.solve()))


def float64_central() -> tuple[Coefficients, Coefficients]:
    """P, Q in v = 1 - t^2 with z/t = sqrt(pi/2) + t^2 P(v)/Q(v), where 1 - t >= TAIL."""
    at_zero = mp.sqrt(mp.pi / 2)

    def ratio(s: mp.mpf) -> mp.mpf:
        t = mp.sqrt(s)
        return mp.sqrt(2) * mp.erfinv(t) / t if s > 0 else at_zero

    def excess(s: mp.mpf) -> mp.mpf:
        s = max(s, mp.mpf(10) ** -15)
        return (ratio(s) - at_zero) / s

    def weight(s: mp.mpf) -> mp.mpf:
        return s / ratio(s) + mp.mpf(10) ** -9  # Not zero, or a node there would bind nothing.

    fit = RationalFit(excess, weight, (mp.mpf(0), (1 - TAIL) ** 2), (7, 7), 2)
    return _normalised(*(shifted(c, -1, mp.mpf(1)) for c in fit.solve()))


def float64_tail() -> tuple[Coefficients, Coefficients]:
    """P, Q in r = sqrt(-2 ln(1 - t)) with z = r + P(r)/Q(r), where 2^-64 <= 1 - t < TAIL."""
    low, high = mp.sqrt(-2 * mp.log(TAIL)), mp.sqrt(128 * mp.log(2))

    @functools.cache
    def deviate(x: mp.mpf) -> mp.mpf:
        return tail_deviate(mp.exp(-((high - x) ** 2) / 2))

    fit = RationalFit(
        lambda x: deviate(x) - (high - x),
        lambda x: 1 / deviate(x),
        (mp.mpf(0), high - low),
        (8, 7),
        2,
    )
    return _normalised(*(shifted(c, -1, high) for c in fit.solve()))


def _normalised(
    numerator: Coefficients, denominator: Coefficients
) -> tuple[Coefficients, Coefficients]:
    return [c / denominator[0] for c in numerator], [c / denominator[0] for c in denominator]


def all_constants() -> dict[str, tuple[str, list]]:
    """Name -> (C++ type, nested list of floats), in the order they are written."""
    fits = (
        float64_truncated,
        float64_tail,
        float32_truncated_rows,
        float64_central,
        float32_untruncated_rows,
    )
    with concurrent.futures.ProcessPoolExecutor() as pool:
        running = {fit: pool.submit(fit) for fit in fits}
        results = {fit: future.result() for fit, future in running.items()}
    truncated_p, truncated_q = results[float64_truncated]
    central_p, central_q = results[float64_central]
    tail_p, tail_q = results[float64_tail]
    constants = {
        "TRUNCATED_ROWS": ("float", results[float32_truncated_rows]),
        "UNTRUNCATED_ROWS": ("float", results[float32_untruncated_rows]),
        "LOG2": ("float", [to_float32(c) for c in logarithm(mp.mpf(2), 7)]),
    }
    for name, values in {
        "TRUNCATED_P": truncated_p,
        "TRUNCATED_Q": truncated_q,
        "CENTRAL_P": central_p,
        "CENTRAL_Q": central_q,
        "TAIL_P": tail_p,
        "TAIL_Q": tail_q,
        "TWICE_LN": [2 * c for c in logarithm(mp.e, 19)],
        "TWICE_LN_2": [2 * mp.log(2)],
        "SQRT_HALF_PI": [mp.sqrt(mp.pi / 2)],
        "TAIL_BELOW": [TAIL],
    }.items():
        constants[name] = ("double", [float(c) for c in values])
    return constants


def _hexadecimal(value: float, suffix: str = "") -> str:
    if value == 0:
        return "0.0" + suffix
    mantissa, exponent = value.hex().split("p")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}p{exponent}{suffix}"


def render_header(constants: dict[str, tuple[str, list]]) -> str:
    """The C++ header."""
    lines = [
        "// Constants of the inverse normal distributions, made by",
        "// tools/make_coefficients.py: change that script, not this file.",
        "",
        "#ifndef TF_VSINIT_CC_STREAM_NORMAL_COEFFICIENTS_H_",
        "#define TF_VSINIT_CC_STREAM_NORMAL_COEFFICIENTS_H_",
        "",
        "// clang-format off",
    ]
    for name, (kind, values) in constants.items():
        suffix = "f" if kind == "float" else ""
        macro = f"TF_VSINIT_{'F32' if kind == 'float' else 'F64'}_{name}"
        rows = values if isinstance(values[0], list) else None
        if rows:
            body = ["  {" + ", ".join(_hexadecimal(v, suffix) for v in row) + "}" for row in rows]
        else:
            body = ["  " + _hexadecimal(v, suffix) for v in values]
        lines += [f"#define {macro} \\", *[b + ", \\" for b in body[:-1]], body[-1], ""]
    lines += [
        "// clang-format on",
        "",
        "#endif  // TF_VSINIT_CC_STREAM_NORMAL_COEFFICIENTS_H_",
        "",
    ]
    return "\n".join(lines)


def render_module(constants: dict[str, tuple[str, list]]) -> str:
    """The Python module, hexadecimal like the header."""
    lines = [
        '"""Constants of the inverse normal distributions in stream version 1.',
        "",
        "Made by tools/make_coefficients.py: change that script, not this file.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "import numpy as np",
        "",
        "",
        "def _array(dtype: type, *rows: str) -> np.ndarray:",
        '    """Rows of hexadecimal floats as an array; one row or one column becomes a vector."""',
        "    values = [[float.fromhex(word) for word in row.split()] for row in rows]",
        "    return np.squeeze(np.array(values, dtype))",
        "",
        "",
    ]
    for name, (kind, values) in constants.items():
        rows = values if isinstance(values[0], list) else [[v] for v in values]
        dtype = "np.float32" if kind == "float" else "np.float64"
        prefix = "F32" if kind == "float" else "F64"
        lines.append(f"{prefix}_{name} = _array(")
        lines.append(f"    {dtype},")
        lines += [f'    "{" ".join(_hexadecimal(v) for v in row)}",' for row in rows]
        lines.append(")")
    return "\n".join(lines) + "\n"


def render_text(constants: dict[str, tuple[str, list]]) -> str:
    """The plain text: a line for each row, a blank line and the name before each constant."""
    lines = [
        "# Constants of the inverse normal distributions in stream version 1, which docs/stream.md",
        "# defines. Each number is exact: C's hexadecimal notation of a float32 or a float64.",
        "# Made by tools/make_coefficients.py: change that script, not this file.",
    ]
    for name, (kind, values) in constants.items():
        rows = values if isinstance(values[0], list) else [[v] for v in values]
        lines += ["", f"{'F32' if kind == 'float' else 'F64'}_{name}"]
        lines += [" ".join(_hexadecimal(v) for v in row) for row in rows]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks the files; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    constants = all_constants()
    status = 0
    for path, render in (
        (HEADER, render_header),
        (MODULE, render_module),
        (TEXT, render_text),
    ):
        text = render(constants)
        if arguments.check and path.read_text() != text:
            print(f"{path.relative_to(ROOT)} differs from what this script computes")
            status = 1
        elif not arguments.check:
            path.write_text(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
