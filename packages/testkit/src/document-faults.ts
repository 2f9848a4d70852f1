const LINES = [
  'realms:',
  '  - name: r.example',
  '    cipher: AES_128_ECB',
  '    tokenLifetime: 60s',
  'destinations:',
  '  - id: d',
  '    realm: r.example',
  '    account: a@x.example',
  '    callees: [b@x.example]',
  '    callers: [c@x.example]',
  '    hours: { timeZone: Europe/Berlin, open: [Mon-Fri 08:00-18:00], closedDates: ["2026-12-25"] }',
  '    limits: [{ per: DESTINATION, max: 5, window: 60s }]',
  'clients:',
  '  - name: c',
  '    identities: [{ commonName: c.example }]',
  '    grants: [{ role: ISSUER, destinations: [d] }]',
];

/** The fields that hold text, each as it is written in its line. */
const TEXTS: readonly (readonly [field: string, line: number, value: string])[] = [
  ['realms[0].name', 2, 'r.example'],
  ['destinations[0].id', 6, 'd'],
  ['destinations[0].realm', 7, 'r.example'],
  ['destinations[0].account', 8, 'a@x.example'],
  ['destinations[0].callees[0]', 9, 'b@x.example'],
  ['destinations[0].callers[0]', 10, 'c@x.example'],
  ['destinations[0].hours.time_zone', 11, 'Europe/Berlin'],
  ['destinations[0].hours.open[0]', 11, 'Mon-Fri 08:00-18:00'],
  ['destinations[0].hours.closed_dates[0]', 11, '"2026-12-25"'],
  ['clients[0].name', 14, 'c'],
  ['clients[0].identities[0].common_name', 15, 'c.example'],
  ['clients[0].grants[0].destinations[0]', 16, 'd'],
];
const DURATIONS = [
  ['realms[0].token_lifetime', 4, '60s'],
  ['destinations[0].limits[0].window', 12, '60s'],
] as const;

/** A configuration document in which one value is no good, and what has to be said of it. */
export interface DocumentFault {
  readonly name: string;
  readonly text: string;
  readonly line: number;
  /** As the contract names it. */
  readonly field: string;
}

const fault =
  (written: string) =>
  ([field, line, value]: readonly [field: string, line: number, value: string]): DocumentFault => {
    const end = new RegExp(`([ [])${value}(?=[\\],]| }|$)`);
    const text = LINES.map((each, index) => (index === line - 1 ? each.replace(end, `$1${written}`) : each));
    return { name: `${field}: ${written}`, text: `${text.join('\n')}\n`, line, field };
  };

/** A document without a fault. */
export const GOOD_DOCUMENT = `${LINES.join('\n')}\n`;

/** Control characters in each text, and fractions of a second where whole ones are due. */
export const DOCUMENT_FAULTS: readonly DocumentFault[] = [
  ...['"a\\0b"', '"\\e[31m"', '"a\\nb"', '"a\\x7f"', '"\\u0085"'].flatMap((written) =>
    TEXTS.map(fault(written)),
  ),
  ...['1.5s', '0.000000001s', '59.999s'].flatMap((written) => DURATIONS.map(fault(written))),
];
