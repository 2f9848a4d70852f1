// Writes into the documentation the facts about error reasons that the contract and the edge state: the gRPC status in
// docs/errors.md, the tables of docs/guides/edge.md. Part of `npm run generate`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REASONS } from '@callpass/contract';
import { CodeSchema } from '@callpass/rpc-protos/gen/google/rpc/code_pb.js';
import { EDGE_REASONS, SERVICE_REASONS } from '../../apps/edge/src/problems/reasons.ts';
import { ROOT } from '../launch/prepare.mjs';

rewrite('docs/errors.md', (page) =>
  page.replace(/(?<=^## ([A-Z_]+)\n+)`[A-Z_]*`/gm, (written, reason) =>
    reason in REASONS ? `\`${CodeSchema.value[REASONS[reason].status].name}\`` : written,
  ),
);
rewrite('docs/guides/edge.md', (page) =>
  [SERVICE_REASONS, EDGE_REASONS].reduce(
    (text, rows, index) => replaceNthTable(text, /^\| reason +\| status \|/gm, { nth: index, rows }),
    page,
  ),
);

function rewrite(name, change) {
  const path = join(ROOT, name);
  const before = readFileSync(path, 'utf8');
  const after = change(before);
  if (after !== before) writeFileSync(path, after);
}

function replaceNthTable(text, head, { nth, rows }) {
  const start = [...text.matchAll(head)][nth].index;
  return text.slice(0, start) + table(rows) + text.slice(text.indexOf('\n\n', start));
}

/** As prettier formats it. */
function table(rows) {
  const names = Object.keys(rows).sort();
  const lines = [
    ['reason', 'status', 'says'],
    ...names.map((name) => [`\`${name}\``, String(rows[name].status), rows[name].title]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column].length)));
  const [header, ...body] = lines.map(
    (line) => `| ${line.map((cell, i) => cell.padEnd(widths[i])).join(' | ')} |`,
  );
  return [header, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body].join('\n');
}
