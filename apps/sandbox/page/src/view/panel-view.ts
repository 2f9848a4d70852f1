import type { Grant } from '../call/credentials.ts';
import type { Exchange } from '../edge/edge.ts';
import { waterfall, type Span } from '../trace/waterfall.ts';
import { element, make } from './elements.ts';
import { clock, shownAnswer } from './texts.ts';

const TOKENS = { accountToken: 'account', fromToken: 'from', toToken: 'to' } as const;

/** Creates the panel for developers: request, response, remaining validity and trace. */
export function createPanelView() {
  let grant: Grant | undefined;
  setInterval(showValidity, 1000);

  function showExchange(exchange: Exchange): void {
    const { url, headers, status, body } = exchange;
    element('nothing').hidden = true;
    element('exchange').hidden = false;
    element('asked').textContent = [
      `POST ${url}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      '{}',
    ].join('\n');
    const pill = element('status');
    pill.textContent = status === undefined ? 'none' : String(status);
    pill.dataset['ok'] = String(exchange.grant !== undefined);
    element('answer').textContent = shownAnswer(body);
    element('trace-id').textContent = exchange.span.traceId;
    grant = exchange.grant;
    element('tokens').replaceChildren(
      ...Object.entries(TOKENS).map(([name, title]) => {
        const row = make('tr');
        row.dataset['token'] = name;
        const heading = make('th', title);
        heading.scope = 'row';
        const bar = make('td', '', 'bar');
        bar.append(make('i'));
        row.append(heading, make('td', '', 'number'), bar);
        return row;
      }),
    );
    showValidity();
    showSpans([]);
  }

  function showValidity(): void {
    element('validity').hidden = grant?.expiresAtMs === undefined;
    if (grant?.expiresAtMs === undefined) return;
    const left = Math.max(0, grant.expiresAtMs - Date.now());
    const share = Math.min(1, left / Math.max(1, grant.expiresAtMs - grant.issuedAtMs));
    for (const row of element('tokens').querySelectorAll('tr')) {
      const remaining = row.querySelector('.number');
      if (remaining) remaining.textContent = left > 0 ? clock(left) : 'expired';
      row.querySelector('i')?.style.setProperty('--share', String(share));
    }
  }

  function showSpans(spans: readonly Span[]): void {
    element('no-spans').hidden = spans.length > 0;
    element('waterfall').hidden = spans.length === 0;
    element('spans').replaceChildren(
      ...waterfall(spans).map(({ span, depth, start, share }) => {
        const row = make('tr');
        row.dataset['service'] = span.service;
        row.dataset['span'] = span.name;
        const name = make('th', shortName(span.name));
        name.scope = 'row';
        name.title = span.name;
        name.style.setProperty('--depth', String(depth));
        const bar = make('td', '', 'bar');
        const line = make('i');
        line.style.setProperty('--start', String(start));
        line.style.setProperty('--share', String(share));
        bar.append(line);
        row.append(
          name,
          make('td', span.service.replace(/^callpass-/, ''), 'service'),
          bar,
          make('td', `${span.durationMs.toFixed(1)} ms`, 'number'),
        );
        return row;
      }),
    );
  }

  return { showExchange, showSpans };
}

/** Shortens a span's name by the package of its service and by `callpass.`. */
function shortName(name: string): string {
  return name.replace(/^([a-z0-9.]+\.(?=[A-Z]\w*\/)|callpass\.)/, '');
}
