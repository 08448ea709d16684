// A chart of two lines over time. Its colours are the slots'; green is dashed as well, so that hue is
// not all that tells them apart.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colours } from "../../layout/scheme";

export type Points = {
  at: number[];
  blue: (number | null)[];
  green: (number | null)[];
};
export type Chart = { put: (points: Points) => void; destroy: () => void };

const HEIGHT = 160;
const AXIS = 66;

export function draw(place: HTMLElement, first: Points, words: (value: number) => string, steps?: number[]): Chart {
  const its = colours(["--blue", "--green", "--line", "--text-2"]);
  const font = `12px ${getComputedStyle(place).fontFamily}`;
  const axis = { stroke: its["--text-2"], font, grid: { stroke: its["--line"], width: 1 }, ticks: { show: false } };
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.15 : 1] } },
      axes: [
        { ...axis, size: 28, space: 80, values: (_, at) => at.map((it) => clock.format(new Date(it * 1000))) },
        { ...axis, size: AXIS, space: 32, ...(steps ? { incrs: steps } : {}), values: (_, at) => at.map(words) },
      ],
      series: [
        {},
        { stroke: its["--blue"], width: 1.75, spanGaps: false, points: { show: false } },
        { stroke: its["--green"], width: 1.75, dash: [5, 3], spanGaps: false, points: { show: false } },
      ],
    },
    [first.at, first.blue, first.green],
    place,
  );
  const observer = new ResizeObserver(() => {
    if (place.clientWidth > 0) plot.setSize({ width: place.clientWidth, height: HEIGHT });
  });
  observer.observe(place);
  return {
    put: ({ at, blue, green }) => plot.setData([at, blue, green]),
    destroy() {
      observer.disconnect();
      plot.destroy();
    },
  };
}
