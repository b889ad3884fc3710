/** Light and dark: the system's choice, until the reader makes one. Paper is always light. */

/** What canvases are painted with; everything else takes its colours from the style sheet. */
export interface Palette {
  text: string;
  grid: string;
  band: string;
  fault: string;
  limit: string;
  surface: string;
  series: string[];
}

/** The colours in force, as the style sheet names them. */
export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: colour('--muted'),
    grid: colour('--grid'),
    band: colour('--band'),
    fault: colour('--fault'),
    limit: colour('--limit'),
    surface: colour('--surface'),
    series: [1, 2, 3, 4, 5].map((i) => colour(`--s${i}`)),
  };
}

const CHOICES = ['system', 'light', 'dark'] as const;
type Choice = (typeof CHOICES)[number];

/** Lets the reader switch themes; `redraw` is called whenever the colours in force change. */
export function enableTheme(redraw: () => void): void {
  let choice: Choice = 'system';
  const apply = (next: Choice) => {
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
    redraw();
  };
  const button = document.getElementById('theme');
  if (button !== null) {
    button.hidden = false;
    button.addEventListener('click', () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? 'system';
      button.textContent = `Theme: ${choice}`;
      apply(choice);
    });
  }
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  window.addEventListener('beforeprint', () => apply('light'));
  window.addEventListener('afterprint', () => apply(choice));
}
