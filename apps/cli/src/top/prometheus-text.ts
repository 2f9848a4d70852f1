/** A value of a series at the time of a scrape. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Any number of the format, also infinite or not a number. */
  readonly value: number;
}

const LINE =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]*\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\}[ \t]*|[ \t]+)([^ \t]+)(?:[ \t]+-?\d+)?$/;
const LABEL = /[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\[\\"n])*)"[ \t]*(?:,[ \t]*|$)/y;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SPECIAL: ReadonlyMap<string, number> = new Map([
  ['nan', NaN],
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
]);

/** Characters of the longest line that is read. */
const LONGEST_LINE = 65_536;

/**
 * Reads the samples of a text in the exposition format of Prometheus, version 0.0.4; comments, types and timestamps are passed
 * over. Throws an Error that names the line where the text is not in this format. Nothing of the text is in its message.
 */
export function parsePrometheusText(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const sample = trimmed.length > LONGEST_LINE ? undefined : readSample(trimmed);
    if (sample === undefined) throw new Error(`it sends no metrics of Prometheus: see line ${index + 1}`);
    return [sample];
  });
}

function readSample(line: string): Sample | undefined {
  const [, name, labelText = '', valueText = ''] = LINE.exec(line) ?? [];
  const labels = readLabels(labelText);
  const value = NUMBER.test(valueText) ? Number(valueText) : SPECIAL.get(valueText.toLowerCase());
  return name === undefined || labels === undefined || value === undefined
    ? undefined
    : { name, labels, value };
}

function readLabels(text: string): ReadonlyMap<string, string> | undefined {
  const labels = new Map<string, string>();
  LABEL.lastIndex = 0;
  let end = /^[ \t]*$/.test(text) ? text.length : 0;
  while (end < text.length) {
    const [match, name, value] = LABEL.exec(text) ?? [];
    if (match === undefined || name === undefined || value === undefined || labels.has(name))
      return undefined;
    labels.set(
      name,
      value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    );
    end = LABEL.lastIndex;
  }
  return labels;
}
