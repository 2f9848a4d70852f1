import { styleText } from 'node:util';
import type { JsonObject } from '@bufbuild/protobuf';
import type { Failure } from './failure.ts';
import type { Sink, Terminal } from './terminal.ts';

/** Format of answers. */
export type OutputFormat = 'text' | 'json';

/** Styles that mean something: done well, look here, not well; a heading, something beside the point. */
export type Tone = 'good' | 'warn' | 'bad' | 'title' | 'quiet';

/** Part of a line in one tone. */
export interface Part {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

/** Writes an answer as text. */
export interface Page {
  /** `false` where a program reads it. */
  readonly isTerminal: boolean;
  /** A line. */
  line(text: string, tone?: Tone): void;
  /** A line of parts. */
  parts(parts: readonly Part[]): void;
  /** Names and values, those without a value left out. */
  fields(values: Readonly<Record<string, unknown>>): void;
  /** Rows under a header; on anything but a terminal without header and parted by tabs. */
  table(header: readonly string[], rows: readonly (readonly unknown[])[]): void;
  /** One row of a table that has no end, in columns at least so wide; on anything but a terminal as in {@link table}. */
  row(cells: readonly unknown[], widths: readonly number[]): void;
  /** A text of several lines as it is. */
  raw(text: string): void;
}

/** Writes what a command has to say. Nothing that comes from outside reaches a terminal with control characters in it. */
export interface Output {
  readonly format: OutputFormat;
  /** The answer, on stdout: the object as JSON, or the page as text. */
  answer(json: JsonObject, page: (print: Page) => void): void;
  /** One of many answers, on stdout: the object as JSON on one line, or the page as text. */
  item(json: JsonObject, page: (print: Page) => void): void;
  /** For a person, beside the answer: on stderr. */
  readonly note: (text: string, tone?: Tone) => void;
  /** Shows progress on stderr, each text in the place of the one before; an empty one removes it. On terminals only. */
  progress(text: string): void;
  /** Reports a failure: for a person on stderr, and with JSON as `{"error": …}` on stdout. */
  failure(failure: Failure): void;
}

const STYLES = { good: 'green', warn: 'yellow', bad: 'red', title: 'bold', quiet: 'dim' } as const;

const ERASE_TO_END = '\u001b[K';

/** Output to a terminal in a format. */
export function createOutput(terminal: Terminal, format: OutputFormat): Output {
  const out = createPage(terminal.stdout, terminal);
  const err = createPage(terminal.stderr, terminal);
  const writeJson = (json: object, indent = 2) => {
    terminal.stdout.write(`${escapeInJson(JSON.stringify(json, undefined, indent))}\n`);
  };
  return {
    format,
    answer(json, page) {
      if (format === 'json') writeJson(json);
      else page(out);
    },
    item(json, page) {
      if (format === 'json') writeJson(json, 0);
      else page(out);
    },
    note: (text, tone) => {
      err.line(text, tone);
    },
    progress(text) {
      if (terminal.stderr.isTTY === true) terminal.stderr.write(`\r${visible(text)}${ERASE_TO_END}`);
    },
    failure({ details, document }) {
      const { message, reason, code, violations = [], retryAfterMs, traceId, metadata = {} } = details;
      err.line(`callpass: ${message}`, 'bad');
      for (const { field, description, line, column } of violations) {
        // The service's own text has the first one already.
        if (line === undefined && message.endsWith(`${field}: ${description}`)) continue;
        const place = line === undefined ? '  ' : `${document ?? ''}:${line}:${column ?? 1}: `;
        err.line(`${place}${field === '' ? '' : `${field}: `}${description}`);
      }
      err.fields({
        reason,
        status: code,
        ...metadata,
        'retry after': retryAfterMs === undefined ? undefined : `${retryAfterMs / 1000} s`,
        trace: traceId,
      });
      // Last: where this cannot be written, the process ends.
      if (format === 'json') writeJson({ error: details });
    },
  };
}

/** Writes text to a place, with styles where that is a terminal. */
export function createPage(sink: Sink, { noColor }: Pick<Terminal, 'noColor'>): Page {
  const isTerminal = sink.isTTY === true;
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    isTerminal && !noColor && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  const write = (line: string) => {
    sink.write(`${line}\n`);
  };
  const align = (row: readonly string[], widths: readonly number[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const cellsOf = (row: readonly unknown[]) => row.map((cell) => visible(textOf(cell)));
  const shown = ({ text, tone }: Part) => (tone ? paint(STYLES[tone], visible(text)) : visible(text));
  return {
    isTerminal,
    line: (text, tone) => {
      write(shown({ text, tone }));
    },
    parts: (parts) => {
      write(parts.map(shown).join('').trimEnd());
    },
    fields(values) {
      const shown = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
      const width = isTerminal ? Math.max(0, ...shown.map(([name]) => visible(name).length)) + 1 : 0;
      for (const [name, value] of shown) {
        write(`${paint('dim', `${visible(name)}:`.padEnd(width))} ${visible(textOf(value))}`);
      }
    },
    table(header, rows) {
      const cells = rows.map(cellsOf);
      if (!isTerminal) {
        for (const row of cells) write(row.join('\t'));
        return;
      }
      const widths = header.map((name, i) =>
        Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)),
      );
      write(paint('bold', align(header, widths)));
      for (const row of cells) write(align(row, widths));
    },
    row(row, widths) {
      const cells = cellsOf(row);
      write(isTerminal ? align(cells, widths) : cells.join('\t'));
    },
    raw: (text) => {
      sink.write(isTerminal ? text.split('\n').map(visible).join('\n') : text);
    },
  };
}

/** A value of protojson as text; empty for one that is not there. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// Control characters, and those that turn or hide text: what comes from outside must not steer the terminal.
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const codeOf = (character: string) => character.charCodeAt(0).toString(16).padStart(4, '0');

/** The text with everything that could steer a terminal written as `\uXXXX`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${codeOf(character)}`);
}

/** The same JSON value, with the characters that JSON.stringify leaves raw escaped too. */
function escapeInJson(json: string): string {
  return json.replace(UNSAFE, (character) => (character === '\n' ? character : `\\u${codeOf(character)}`));
}
