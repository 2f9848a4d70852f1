const lines = (count: number, line: string) => `${line}\n`.repeat(count);
const each = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

/** YAML of half a megabyte at most that stands for something large, or that is slow to read, by what it is. */
export const YAML_BOMBS: readonly (readonly [name: string, text: string])[] = [
  [
    '50,000 destinations that are one',
    `destinations:\n  - &d { id: a, realm: r, account: a@b, callees: [a@b] }\n${lines(49_999, '  - *d')}`,
  ],
  [
    'lists of nine lists of nine lists',
    each(
      9,
      (i) =>
        `${'abcdefghi'[i]}: &${'abcdefghi'[i]} [${Array(9)
          .fill(i === 0 ? 'x' : `*${'abcdefghi'[i - 1]}`)
          .join(',')}]`,
    ),
  ],
  [
    'lists of nine lists where lists of texts belong',
    `destinations:\n  - callees: ${each(
      6,
      (i) =>
        `&a${i} [${Array(9)
          .fill(i === 0 ? 'x' : `*a${i - 1}`)
          .join(',')}]\n    callers${i}: `,
    )}x\n`,
  ],
  [
    'merge keys in merge keys',
    `a: &a0 { x: 1 }\n${each(30, (i) => `k${i}: &a${i + 1} { <<: [*a${i}, *a${i}] }`)}`,
  ],
  ['a long text many times', `a:\n  - &t ${'x'.repeat(100_000)}\n${lines(300, '  - *t')}`],
  ['50,000 lists in each other', '['.repeat(50_000)],
  ['50,000 list items in each other', '- '.repeat(50_000)],
  ['20,000 maps in each other', '[{a: '.repeat(20_000)],
  ['maps in each other on 700 lines', each(700, (i) => `${' '.repeat(i)}a:`)],
  ['30,000 keys', each(30_000, (i) => `k${i}: 1`)],
  ['30,000 keys that are one', lines(30_000, 'k: 1')],
  ['30,000 anchors', `a:\n${each(30_000, (i) => ` - &a${i} x`)}`],
  ['30,000 documents', lines(30_000, '--- {}')],
  ['10,000 tags', `a:\n${lines(10_000, ' - !x y')}`],
  ['a text without end on 20,000 lines', `a: "${lines(20_000, 'a')}`],
];

/** The processor time that a reader of such a text may take, in ms. Some took more than ten seconds where nothing was bounded. */
export const YAML_BOMB_MS = 6000;

/** The processor time that this process needs for some work, in ms. */
export async function processorMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
