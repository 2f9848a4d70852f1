import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leafPaths, loadSettings, SettingsError, variableOf } from '@callpass/program/settings';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** Settings of a program. */
export interface SettingsUnderTest {
  readonly schema: Parameters<typeof loadSettings>[0]['schema'];
  /** Prefix of its variables. */
  readonly prefix: string;
  /** File that shows them all. */
  readonly sample: string;
}

/** Words of the libraries that read and check settings, and what a program prints of a value that it does not have. */
const NOT_FOR_PEOPLE =
  /Invalid|received|Too (small|big)|zod|\bNaN\b|undefined|\bnull\b|\[object|regex|pattern|>=|<=|\b(E[A-Z]{4,}|ERR_\w+)\b|BAD_|\b[A-Z]+_[A-Z]+_[A-Z]+:/;
const WRONG: unknown[] = [
  7,
  -1,
  1.5,
  1e30,
  true,
  '',
  'canary',
  'canary canary',
  'x'.repeat(3000),
  [],
  [7],
  [{}],
  {},
  { canary: 1 },
  null,
];

/** Conformance tests of what a program says about its settings. Every program that has some must pass them. */
export function settingsTextsConformance({ schema, prefix, sample }: SettingsUnderTest): void {
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'callpass-texts-'));
    file = join(folder, 'settings.yaml');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** The problems of a text as settings; none where it can be used. */
  function problemsOf(text: string, environment: Record<string, string> = {}): string[] {
    writeFileSync(file, text);
    try {
      loadSettings({ schema, prefix, file, environment });
      return [];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return error.message.split('\n');
    }
  }

  const paths = leafPaths(schema);

  describe('the sample', () => {
    const text = readFileSync(sample, 'utf8');

    it('shows every setting with its default and its variable', () => {
      const load = (file?: string) => loadSettings({ schema, prefix, file, environment: {} });
      expect(load(sample)).toEqual(load());
      for (const path of paths) {
        expect(text).toContain(`${path[path.length - 1]}:`);
        expect(text).toContain(`# ${variableOf(prefix, path)}\n`);
      }
    });

    it('names no variable that does not exist', () => {
      const named = [...text.matchAll(/CALLPASS_[A-Z_]+/g)].map(([name]) => name);
      expect(named.sort()).toEqual(paths.map((path) => variableOf(prefix, path)).sort());
    });
  });

  /** Settings that all have the same value. */
  function allWith(value: unknown): Record<string, unknown> {
    const all: Record<string, unknown> = {};
    for (const path of paths) {
      let at = all;
      for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
      at[path.at(-1) ?? ''] = value;
    }
    return all;
  }

  describe('the text about a wrong setting is for a person, and says where it stands:', () => {
    const expectForPeople = (problems: readonly string[], place: RegExp) => {
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) {
        expect(problem).not.toMatch(NOT_FOR_PEOPLE);
        expect(problem).toMatch(place);
        expect(problem.length).toBeLessThan(400);
      }
    };

    it.each(WRONG.map((value) => [JSON.stringify(value).slice(0, 40), value]))(
      '%s in a file',
      (_text, value) => {
        expectForPeople(problemsOf(JSON.stringify(allWith(value), null, 1)), /line \d+\)/);
      },
    );

    it.each(WRONG.filter((value) => typeof value !== 'object' && value !== '').map(String))(
      '%s in variables',
      (value) => {
        const variables = Object.fromEntries(paths.map((path) => [variableOf(prefix, path), value]));
        expectForPeople(problemsOf('{}', variables), /\([A-Z_]+\)/);
      },
    );

    it.each([
      'log: [',
      'log: {',
      'log: "a',
      "log: 'a",
      'log:\n\tlevel: info',
      'log:\n  level: info\n level: warn',
      'a: b: c',
      '- a\nb: c',
      'log: *gone',
      '--- {}\n--- {}',
      'log: "\\q"',
      '@',
      'log: {}\nlog: {}',
      'just words',
      '7',
    ])('a file that is no YAML of settings: %j', (text) => {
      const problems = problemsOf(text);
      expect(problems.length).toBeGreaterThan(0);
      for (const problem of problems) expect(problem).not.toMatch(NOT_FOR_PEOPLE);
    });

    it.each([
      ['a control character', 'log:\n  level: "\u0001"', 2],
      ['a control character in an escape', 'log:\n  level: "a\\0b"', 2],
      ['a control character in a key', 'log:\n  "\\e[31m": 1', 2],
      ['a tag', 'log:\n  level: !!binary aW5mbw==', 2],
      ['an alias that leads nowhere', 'log:\n  level: *x', 2],
      ['an alias within its anchor', 'log: &x\n  level: *x', 2],
      ['a key that is a list', 'log: {}\n? [log]\n: {}', 2],
      ['the name of the prototype', '\n__proto__: { log: {} }', 2],
      ['a merge key', '\n<<: { log: {} }', 2],
      ['a key that stands twice', 'log:\n  level: info\n  level: info', 3],
    ])('a file with %s, with its line', (_name, text, line) => {
      expectForPeople(problemsOf(text), new RegExp(`line ${line}\\)`));
    });

    it.each(['gone.yaml', '.', 'settings.yaml/inside'])('a file that cannot be read: %s', (name) => {
      writeFileSync(file, '{}');
      const load = () => loadSettings({ schema, prefix, file: join(folder, name), environment: {} });
      expect(load).toThrow(/^cannot read .*: [^;]+; .+/);
      expect(load).not.toThrow(NOT_FOR_PEOPLE);
    });
  });
}
