/**
 * Text with variables, taken apart once, so that filling it in is a few string concatenations. Variables are
 * `${name}`, `${namespace}`, `${index}`, `${random}` and `${scheduler}` (of the object's schedulers the next), which differ by object, and `${run}` and `${phase}`, which
 * are put in while compiling. Anything else in `${}` is left as it stands (shell text in a manifest has such).
 */

/** What differs from object to object. */
export interface ObjectVariables {
  name: string;
  namespace: string;
  index: number;
  random: string;
  /** For harness use: the scheduler whose turn it is. */
  scheduler: string;
}

export interface PhaseVariables {
  run: string;
  phase: string;
}

const VARIABLE = /\$\{(name|namespace|index|random|scheduler|run|phase)\}/;

/** How a variable of objects is written in a text. */
export function placeholder(variable: keyof ObjectVariables): string {
  return `\${${variable}}`;
}

/**
 * Compiles `text`. With `json` the text is JSON and values are escaped for the inside of its strings; variables of
 * objects are then expected to need no escape (names, numbers).
 */
export function compileSegments(
  text: string,
  phase: PhaseVariables,
  options: { json: boolean },
): (variables: ObjectVariables) => string {
  const escaped = options.json
    ? (value: string) => JSON.stringify(value).slice(1, -1)
    : (value: string) => value;
  const literals: string[] = [''];
  const variables: (keyof ObjectVariables)[] = [];
  // split() with a group puts the groups between the pieces: text, variable, text, variable, …, text.
  text.split(VARIABLE).forEach((piece, position) => {
    if (position % 2 === 0) literals[literals.length - 1] += piece;
    else if (piece === 'run' || piece === 'phase') literals[literals.length - 1] += escaped(phase[piece]);
    else if (isObjectVariable(piece)) {
      variables.push(piece);
      literals.push('');
    }
  });
  const head = literals[0] ?? '';
  const pairs = variables.map((variable, position) => ({ variable, literal: literals[position + 1] ?? '' }));
  return (values) => {
    let result = head;
    for (const pair of pairs) result += values[pair.variable] + pair.literal;
    return result;
  };
}

function isObjectVariable(text: string): text is keyof ObjectVariables {
  return (
    text === 'name' || text === 'namespace' || text === 'index' || text === 'random' || text === 'scheduler'
  );
}
