import { createPage, type Part } from './output.ts';
import type { Terminal } from './terminal.ts';

/** The whole terminal, for pictures in each other's place. */
export interface Screen {
  /** Characters of a line. */
  readonly width: number;
  /** Shows a picture instead of the one before. Lines that do not fit are left out, and the last line says how many. */
  show(lines: readonly (readonly Part[])[]): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

const ESCAPE = '\u001b[';
/** The other buffer, without cursor, and lines that are cut where the terminal ends. */
const OPEN = `${ESCAPE}?1049h${ESCAPE}?25l${ESCAPE}?7l`;
const CLOSE = `${ESCAPE}?7h${ESCAPE}?25h${ESCAPE}?1049l`;
const HOME = `${ESCAPE}H`;
const ERASE_LINE = `${ESCAPE}K`;
const ERASE_BELOW = `${ESCAPE}J`;

const USUAL_WIDTH = 80;
const USUAL_HEIGHT = 24;

/** Takes the terminal at standard output. */
export function openScreen(terminal: Terminal): Screen {
  const { stdout } = terminal;
  stdout.write(OPEN);
  return {
    get width() {
      return widthOf(terminal);
    },
    show(lines) {
      const height = stdout.rows || USUAL_HEIGHT;
      const fitting = lines.length < height ? lines : lines.slice(0, height - 2);
      const hidden = lines.length - fitting.length;
      let text = '';
      const page = createPage({ isTTY: true, write: (line) => (text += line) }, terminal);
      for (const line of fitting) page.parts(line);
      if (hidden > 0) page.line(`and ${hidden} more lines: make the terminal higher`, 'quiet');
      stdout.write(`${HOME}${text.replaceAll('\n', `${ERASE_LINE}\n`)}${ERASE_BELOW}`);
    },
    close() {
      stdout.write(CLOSE);
    },
  };
}

/** Characters of a line of standard output; 80 where it does not know them. */
export function widthOf({ stdout }: Terminal): number {
  return stdout.columns || USUAL_WIDTH;
}
