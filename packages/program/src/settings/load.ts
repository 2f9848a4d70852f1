import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import { z } from 'zod';
import { describeFault } from '../describe-fault.ts';
import { readPlainYaml, type PlainYaml } from '../yaml/plain-values.ts';
import { YamlError } from '../yaml/read-yaml.ts';
import { describeIssue } from './describe-issue.ts';

/** Settings that cannot be used. The message names every key that is wrong, with its line or variable. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS_INVALID';

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'SettingsError';
  }
}

/** The problem of an address that a setting names and that cannot be listened on. */
export function cannotListen(setting: string, address: string, error: unknown): SettingsError {
  // The library of the server puts the code into its text only.
  const [code] = /\bE[A-Z]+\b/.exec(String((error as Error).message)) ?? [];
  const fault = (error as NodeJS.ErrnoException).code === undefined && code !== undefined ? { code } : error;
  return new SettingsError([`${setting}: cannot listen on ${address}: ${describeFault(fault)}`]);
}

/**
 * Names that settings had in former versions. A file or an environment that uses one is refused with a message that says the new
 * one: unread, a variable would leave its setting at the default in silence.
 */
export interface FormerNames {
  /** The former prefix of variables. */
  readonly prefix?: string;
  /** Former keys and the keys they are now, each a path such as `connections.max`. */
  readonly keys?: Readonly<Record<string, string>>;
}

/** Sources of settings. */
export interface SettingsSource {
  /** Every setting with its default, as strict objects within strict objects. */
  readonly schema: z.ZodType;
  /** Begins the name of each variable, for example `CALLPASS`. */
  readonly prefix: string;
  /** A YAML file. */
  readonly file?: string | undefined;
  readonly former?: FormerNames;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the settings: defaults, then the file, then the environment. Every key has a variable: the prefix and the key's
 * path in capitals, words parted by `_` (`store.pollInterval` is `CALLPASS_STORE_POLL_INTERVAL`).
 *
 * @throws {SettingsError} on unknown keys, former names, wrong values, or a file that cannot be read.
 */
export function loadSettings<Schema extends z.ZodType>(
  source: SettingsSource & { readonly schema: Schema },
): Readonly<z.output<Schema>> {
  const { schema, prefix, environment } = source;
  const file = source.file === undefined ? { values: {}, place: () => '' } : readSettingsFile(source.file);
  const variables = new Map<string, string>();
  refuseFormerVariables(source);
  for (const path of leafPaths(schema)) {
    const variable = variableOf(prefix, path);
    const value = environment[variable];
    if (value === undefined || value === '') continue;
    variables.set(path.join('.'), variable);
    setAt(file.values, path, value);
  }
  const parsed = schema.safeParse(file.values, { error: describeIssue });
  if (!parsed.success)
    throw new SettingsError(
      parsed.error.issues
        .slice(0, MAX_PROBLEMS)
        .flatMap((issue) => describe(issue, { file, variables, renamed: source.former?.keys ?? {} }))
        .slice(0, MAX_PROBLEMS),
    );
  return Object.freeze(parsed.data);
}

function refuseFormerVariables({ schema, prefix, environment, former = {} }: SettingsSource): void {
  const prefixes = former.prefix === undefined ? [prefix] : [prefix, former.prefix];
  const problems = leafPaths(schema).flatMap((path) => {
    const now = variableOf(prefix, path);
    return prefixes
      .map((before) => variableOf(before, formerPath(path, former)))
      .filter((name) => name !== now && environment[name])
      .map((name) => `${name} is now ${now}: rename the variable`);
  });
  if (problems.length > 0) throw new SettingsError(problems);
}

function formerPath(path: readonly string[], { keys = {} }: FormerNames): readonly string[] {
  const name = path.join('.');
  const [before, now] = Object.entries(keys).find(([, key]) => `${name}.`.startsWith(`${key}.`)) ?? [];
  return before === undefined || now === undefined ? path : `${before}${name.slice(now.length)}`.split('.');
}

/** The environment variable of a setting. */
export function variableOf(prefix: string, path: readonly string[]): string {
  return [prefix, ...path.map((key) => key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase())].join('_');
}

/** The paths of all settings that hold a value. */
export function leafPaths(schema: z.ZodType, path: readonly string[] = []): string[][] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [[...path]];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
    leafPaths(child, [...path, key]),
  );
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}

/** The most problems that are named. */
const MAX_PROBLEMS = 100;

/** Characters of a path that are shown: a part of it may be a key that somebody has chosen. */
const LONGEST_NAME = 120;

interface SettingsFile {
  readonly values: Record<string, unknown>;
  /** ` (line N)` of a path, or an empty text. */
  readonly place: (path: readonly PropertyKey[]) => string;
}

function readSettingsFile(name: string): SettingsFile {
  let text: string;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    throw new SettingsError([`cannot read ${name}: ${describeFault(error)}`]);
  }
  const lines = new LineCounter();
  const { value, root } = readYamlOf(name, text, lines);
  const values = value ?? {};
  if (typeof values !== 'object' || Array.isArray(values))
    throw new SettingsError([`${name}: expected keys and values`]);
  return {
    // A section whose keys are all commented out is as good as not written.
    values: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)),
    place: (path) => {
      const offset = keyOffset(root, path);
      return offset === undefined ? '' : ` (${name}, line ${lines.linePos(offset).line})`;
    },
  };
}

function readYamlOf(name: string, text: string, lines: LineCounter): PlainYaml {
  try {
    return readPlainYaml(text, lines);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new SettingsError(
      error.faults.map(
        ({ offset, message }) => `${name} (line ${Math.max(1, lines.linePos(offset).line)}): ${message}`,
      ),
    );
  }
}

function keyOffset(root: Node | null, path: readonly PropertyKey[]): number | undefined {
  let node: Node | null = root;
  let offset: number | undefined;
  for (const key of path) {
    if (isSeq(node)) {
      node = (node.items[key as number] as Node | undefined) ?? null;
      offset = node?.range?.[0] ?? offset;
      continue;
    }
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
    if (!pair) break;
    offset = (pair.key as Node).range?.[0];
    node = pair.value as Node | null;
  }
  return offset;
}

function setAt(values: Record<string, unknown>, path: readonly string[], value: string): void {
  let at = values;
  for (const key of path.slice(0, -1)) {
    const next = at[key];
    const inner: Record<string, unknown> = typeof next === 'object' && next !== null ? { ...next } : {};
    at[key] = inner;
    at = inner;
  }
  at[path[path.length - 1] as string] = value;
}

function describe(
  issue: z.core.$ZodIssue,
  {
    file,
    variables,
    renamed,
  }: {
    file: SettingsFile;
    variables: ReadonlyMap<string, string>;
    renamed: Readonly<Record<string, string>>;
  },
): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => {
      const path = [...issue.path, key];
      const name = nameOf(path);
      const problem = Object.hasOwn(renamed, name)
        ? `${name} is now ${renamed[name]}: rename the key`
        : `unknown setting ${name}`;
      return `${problem}${file.place(path)}`;
    });
  }
  const variable = issue.path
    .map((_, end) => variables.get(issue.path.slice(0, end + 1).join('.')))
    .find((found) => found !== undefined);
  return [
    `${nameOf(issue.path)}${variable === undefined ? file.place(issue.path) : ` (${variable})`}: ${issue.message}`,
  ];
}

function nameOf(path: readonly PropertyKey[]): string {
  const name = path.join('.');
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}
