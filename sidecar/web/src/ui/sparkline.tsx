// A small line of what was lately: drawn beside the figure, which says the same in words.

type Props = { values: readonly number[]; width?: number; height?: number; label: string };

/** The line's points, the newest at the right edge. */
export function points(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return "";
  const most = Math.max(...values);
  const least = Math.min(...values);
  // What hardly moves is a flat line, not a mountain range.
  const range = Math.max(most - least, most * 0.1, 1e-9);
  const step = width / (values.length - 1);
  return values
    .map((value, index) => {
      const y = height - 1.5 - ((value - least) / range) * (height - 3);
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(" ");
}

export function Sparkline({ values, width = 60, height = 22, label }: Props) {
  const line = points(values, width, height);
  if (!line) return <span class="sparkline" aria-hidden="true" />;
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polyline points={line} fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" stroke-linecap="round" />
    </svg>
  );
}
