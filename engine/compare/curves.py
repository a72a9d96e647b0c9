"""A training's curves as one inline SVG: no script, no network, sharp on paper. It knows nothing of runs."""

import math

_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 34


def svg(lines: list[tuple[str, list[float], list[float]]]) -> str:
    """Lines `(css class, steps, values)` over a common axis of steps. Values that are not finite are left out. Empty
    where there is nothing to draw."""
    kept = [
        (name, [(x, y) for x, y in zip(steps, values, strict=True) if math.isfinite(y)])
        for name, steps, values in lines
    ]
    points = [point for _, line in kept for point in line]
    if not points:
        return ""
    most_x = max(x for x, _ in points) or 1
    ticks = _ticks(min(y for _, y in points), max(y for _, y in points))
    low, high = ticks[0], ticks[-1]

    def at(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (_WIDTH - _LEFT - _RIGHT) * x / most_x
        down = _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - y) / (high - low)
        return round(across, 1), round(down, 1)

    parts = []
    for tick in ticks:
        _, y = at(0, tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    for tick in _ticks(0, most_x):
        if tick <= most_x:
            x, _ = at(tick, low)
            parts.append(f'<text x="{x}" y="{_HEIGHT - 12}" text-anchor="middle">{tick:g}</text>')
    for name, line in kept:
        path = " ".join(f"{x},{y}" for x, y in (at(*point) for point in line))
        parts.append(f'<polyline class="{name}" points="{path}"/>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{"".join(parts)}</svg>'


def _ticks(low: float, high: float) -> list[float]:
    """Round values, four to nine of them, that reach from below `low` to above `high`."""
    span = (high - low) or abs(high) or 1.0
    size = 10 ** math.floor(math.log10(span))
    step = next(size * factor for factor in (0.1, 0.2, 0.25, 0.5, 1, 2) if span / (size * factor) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    if first == last:
        last += 1
    return [round(n * step, 10) for n in range(first, last + 1)]
