import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import * as tokenCore from './index.ts';

it('the example of the README runs and prints what it says', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\nimport \{ (?<names>[^}]*) \} from '@callpass\/token-core';\n(?<body>.*?)```/s.exec(
    readme,
  )?.groups;
  const printed: string[] = [];
  const names = example?.['names']?.split(', ') ?? [];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is our own README
  const run = new Function('console', ...names, example?.['body'] ?? '') as (...given: unknown[]) => void;
  run(
    { log: (line: string) => printed.push(line) },
    ...names.map((name) => tokenCore[name as keyof typeof tokenCore]),
  );
  expect(printed).toEqual(['VALID']);
});
