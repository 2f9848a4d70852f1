import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as tokenCore from './index.ts';

/** Runs an example with the package's names in scope. Returns the lines that it prints. */
function printedBy(body: string): string[] {
  const printed: string[] = [];
  const names = Object.keys(tokenCore);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is our own
  const run = new Function('console', ...names, body) as (...given: unknown[]) => void;
  run({ log: (line: unknown) => printed.push(String(line)) }, ...Object.values(tokenCore));
  return printed;
}

/** Lines that an example claims to print: `console.log(...); // line`. */
const claimedBy = (body: string): string[] =>
  [...body.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line as string);

it('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\nimport \{ (?<names>[^}]*) \} from '@callpass\/token-core';\n(?<body>.*?)```/s.exec(
    readme,
  )?.groups;
  expect(Object.keys(tokenCore)).toEqual(expect.arrayContaining(example?.['names']?.split(', ') ?? []));
  expect(printedBy(example?.['body'] ?? '')).toEqual(['VALID']);
});

const folder = new URL('.', import.meta.url);
const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .flatMap((name) =>
    [
      ...readFileSync(new URL(name, folder), 'utf8').matchAll(/@example\n(.*?)\*\/\nexport function (\w+)/gs),
    ].map(([, body = '', subject = '']) => ({ subject, body: body.replace(/^ \* ?/gm, '') })),
  );

describe('docstrings', () => {
  it.each(examples)('the example of $subject runs and prints what it says', ({ body }) => {
    expect(claimedBy(body)).not.toEqual([]);
    expect(printedBy(body)).toEqual(claimedBy(body));
  });

  it('every exported function has an example', () => {
    const functions = Object.entries(tokenCore)
      .filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name))
      .map(([name]) => name)
      .filter((name) => name !== 'createMessageAuthenticator'); // not for users of the package
    expect(examples.map(({ subject }) => subject).sort()).toEqual(functions.sort());
  });
});
