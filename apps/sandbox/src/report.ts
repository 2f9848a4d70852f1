import { styleText } from 'node:util';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { IssueCredentialsResponse } from '@callpass/contract';

/** Formats the start report. Without colours if standard output is no terminal. */
export function report(ready: {
  addresses: Readonly<Record<string, string>>;
  issued: IssueCredentialsResponse;
  verdict: string;
}): string {
  const { addresses, issued, verdict } = ready;
  const bold = (text: string) => styleText('bold', text);
  const rows: [string, string][] = [
    ...Object.entries(addresses).filter(([name]) => name !== 'page'),
    ['destinations', 'support (ECB), support-cbc (CBC), lobby (unrestricted)'],
  ];
  const tokens = issued.grant.case === 'timeLimited' ? issued.grant.value : undefined;
  const credential: [string, string][] = [
    ['issuance', issued.issuanceId],
    ['call', `${issued.caller} → ${issued.callee}`],
    ['realm', tokens?.realm ?? '-'],
    ['account token', shorten(tokens?.accountToken)],
    ['from token', shorten(tokens?.fromToken)],
    ['to token', shorten(tokens?.toToken)],
    ['expires', issued.expireTime ? timestampDate(issued.expireTime).toISOString() : '-'],
    ['validated', styleText(verdict === 'VALID' ? 'green' : 'red', verdict)],
  ];
  return [
    '',
    bold('Callpass sandbox is running. Its keys and data are deleted when it stops.'),
    ...table(rows),
    '',
    `${bold('Open this page to call:')} ${styleText(['cyan', 'underline'], addresses['page'] ?? '')}`,
    '',
    bold('One credential, issued and validated:'),
    ...table(credential),
    '',
    bold('Try it in another terminal:'),
    `  npx callpass issue support --address ${addresses['grpc']} --output json`,
    `  npx callpass health --address ${addresses['grpc']}`,
    `  npx callpass top --address ${addresses['grpc']} --metrics ${addresses['metrics']}`,
    '',
    'Ctrl-C stops it.',
    '',
  ].join('\n');
}

/** Enough of a token to recognise it, too little to use it. */
function shorten(token: string | undefined): string {
  return token === undefined ? '-' : `${token.slice(0, 12)}… (${token.length} characters)`;
}

function table(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${styleText('dim', name.padEnd(width))}  ${value}`);
}
