/** Drawings of a terminal: lines with ANSI styles as SVG. */
const LINE_HEIGHT = 18;
const CHARACTER_WIDTH = 7.85;
const MARGIN = 20;
const COLOURS = { 31: '#e5534b', 32: '#57ab5a', 33: '#c69026', 36: '#39c5cf' };
/** Shades as their share of the colour. Drawn, since fonts differ in them. */
const SHADES = { '░': 0.3, '▒': 0.55, '▓': 0.8, '█': 1 };
/** Starts an ANSI style: `ESC [ code m`. */
export const ESCAPE = String.fromCharCode(27);
const STYLE = new RegExp(`(${ESCAPE}\\[\\d+m)`, 'g');

/** An SVG of the lines, with a text for those who do not see it. */
export function draw(lines, label) {
  const columns = Math.max(...lines.map((line) => line.replace(STYLE, '').length));
  const width = Math.ceil(columns * CHARACTER_WIDTH) + 2 * MARGIN;
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const rows = lines.flatMap((line, row) => drawLine(line, MARGIN + 14 + row * LINE_HEIGHT));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<rect width="100%" height="100%" rx="8" fill="#1c2128"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#cdd9e5">
${rows.join('\n')}
</g>
</svg>
`;
}

/** Parts of a line with their ANSI style and column. */
function partsOf(line) {
  let style = {};
  let column = 0;
  const parts = [];
  for (const part of line.split(STYLE)) {
    const code = part.startsWith(`${ESCAPE}[`) ? part.slice(2, -1) : undefined;
    if (code === undefined) {
      if (part !== '') parts.push({ text: part, column, ...style });
      column += part.length;
    } else if (code === '1') style = { ...style, bold: true };
    else if (code === '2') style = { ...style, dim: true };
    else if (code === '22') style = { ...style, bold: false, dim: false };
    else style = { ...style, colour: COLOURS[code] };
  }
  return parts;
}

const xOf = (column) => (MARGIN + column * CHARACTER_WIDTH).toFixed(2);

function drawLine(line, y) {
  const parts = partsOf(line);
  const blocks = parts.flatMap(({ text, column, colour = '#cdd9e5' }) =>
    [...text.matchAll(/░+|▒+|▓+|█+/g)].map(({ 0: run, index }) => {
      const width = Number((run.length * CHARACTER_WIDTH).toFixed(2));
      return `<rect x="${xOf(column + index)}" y="${y - 13}" width="${width}" height="${LINE_HEIGHT - 2}" fill="${colour}" fill-opacity="${SHADES[run[0]]}"/>`;
    }),
  );
  const spans = parts.filter(({ text }) => !/^[░▒▓█ ]*$/.test(text)).map(tspan);
  const text = `<text y="${y}" xml:space="preserve">${spans.join('')}</text>`;
  return spans.length > 0 ? [...blocks, text] : blocks;
}

function tspan({ text, column, bold, dim, colour }) {
  const escaped = text
    .replace(/[░▒▓█]/g, ' ')
    .replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);
  const attributes = [
    `x="${xOf(column)}"`,
    bold && 'font-weight="bold"',
    dim && 'fill="#768390"',
    colour && `fill="${colour}"`,
  ].filter(Boolean);
  return `<tspan ${attributes.join(' ')}>${escaped}</tspan>`;
}
