/** All charts of the page: made once, made again when colours or widths change, with one cursor over time. */
import type { ChartData } from '../chart-types.ts';
import { drawHeatmap } from './heatmap.ts';
import { drawPercentiles, drawStartup } from './percentiles.ts';
import { palette } from './theme.ts';
import { TimeGroup } from './time-group.ts';
import { drawTimeCharts } from './time-series.ts';

export interface Charts {
  redraw(): void;
}

/** Draws every chart that the page has a box for. */
export function drawCharts(data: ChartData): Charts {
  const group = new TimeGroup(data);
  let dispose: (() => void)[] = [];
  const draw = () => {
    for (const end of dispose) end();
    const colours = palette();
    dispose = [
      drawPercentiles(data, colours),
      drawHeatmap(data, colours, group),
      ...drawTimeCharts(data, colours, group),
      drawStartup(data, colours),
    ];
    group.apply();
  };
  draw();
  let width = document.documentElement.clientWidth;
  let timer = 0;
  window.addEventListener('resize', () => {
    // Only widths matter: a phone's address bar changes the height with every scroll.
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    clearTimeout(timer);
    timer = window.setTimeout(draw, 120);
  });
  document.getElementById('zoom-reset')?.addEventListener('click', () => group.reset());
  return { redraw: draw };
}
