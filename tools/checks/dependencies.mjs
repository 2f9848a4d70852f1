// Each package that is not for development only has its line in docs/dependencies.md.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../launch/prepare.mjs';

const PAGE = 'docs/dependencies.md';

/** The packages that the page does not name, as one text; `undefined` when it names each. */
export function checkDependencies() {
  const read = (name) => readFileSync(join(ROOT, name), 'utf8');
  const named = new Set([...read(PAGE).matchAll(/`([^`]+)`/g)].flatMap(([, name]) => withoutBraces(name)));
  const missing = globSync('{apps,packages}/*/package.json', { cwd: ROOT }).flatMap((file) =>
    Object.keys(JSON.parse(read(file)).dependencies ?? {})
      .filter((name) => !name.startsWith('@callpass/') && !named.has(name))
      .map((name) => `${PAGE} has no line for ${name} of ${file}`),
  );
  return missing.length === 0 ? undefined : missing.join('\n');
}

/** `a-{b,c}` stands for `a-b` and `a-c`. */
function withoutBraces(name) {
  const [, start, choices, end] = /^(.*)\{(.*)\}(.*)$/.exec(name) ?? [];
  return choices === undefined ? [name] : choices.split(',').map((choice) => start + choice + end);
}
