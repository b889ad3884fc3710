/** Samples of one component's metrics as they are kept between scrapes. */

/** Value by labels (as they stand on the page) by name of the sample. */
export type Samples = Map<string, Map<string, number>>;

/** The values of `name`, made on first use. */
export function samplesOf(samples: Samples, name: string): Map<string, number> {
  let values = samples.get(name);
  if (values === undefined) {
    values = new Map();
    samples.set(name, values);
  }
  return values;
}

/** Over all labels; undefined where the component has no such sample. */
export function total(values: ReadonlyMap<string, number> | undefined): number | undefined {
  if (values === undefined) return undefined;
  let sum = 0;
  for (const value of values.values()) sum += value;
  return sum;
}
