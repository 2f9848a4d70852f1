import { isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

/** Line and column of a node; the first ones where there is none. */
export function positionOf(
  node: Node | null | undefined,
  lines: LineCounter,
): { line: number; column: number } {
  return positionAt(node?.range?.[0] ?? 0, lines);
}

/** Line and column of an offset in the text. */
export function positionAt(offset: number, lines: LineCounter): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return line === 0 ? { line: 1, column: 1 } : { line, column: col };
}

/** Follows a path such as `clients[0].grants[1].role` as far as the text goes. */
export function locate(
  root: Node | null,
  path: string,
  lines: LineCounter,
): { line: number; column: number } {
  let node: Node | null = root;
  for (const [, key, index] of path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)) {
    const next = index === undefined ? child(node, key ?? '') : item(node, Number(index));
    if (next === undefined) break;
    node = next;
  }
  return positionOf(node, lines);
}

function child(node: Node | null, key: string): Node | undefined {
  if (!isMap(node)) return undefined;
  const pair = node.items.find(
    (candidate) => isScalar(candidate.key) && sameName(String(candidate.key.value), key),
  );
  return (pair?.value ?? pair?.key) as Node | undefined;
}

function item(node: Node | null, index: number): Node | undefined {
  return isSeq(node) ? ((node.items[index] as Node | undefined) ?? undefined) : undefined;
}

/** `tokenLifetime` and `token_lifetime` are the same field. */
function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name.replaceAll('_', '').toLowerCase();
  return plain(a) === plain(b);
}
