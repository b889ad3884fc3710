/** The page's script: makes tables sortable and searchable and draws the charts. Everything else is HTML already. */
import 'uplot/dist/uPlot.min.css';
import './page.css';
import './parts.css';
import './tables.css';
import './charts.css';
import './media.css';
import type { ChartData } from '../chart-types.ts';
import { drawCharts } from './charts.ts';
import { enableTables } from './tables.ts';
import { enableTheme } from './theme.ts';

const source = document.getElementById('chart-data')?.textContent;
for (const controls of document.querySelectorAll<HTMLElement>('.controls')) controls.hidden = false;
enableTables();
if (source !== undefined && source !== null) {
  const data = JSON.parse(source) as ChartData;
  const charts = drawCharts(data);
  enableTheme(charts.redraw);
  document.documentElement.dataset['ready'] = 'true';
}
