import type { Grant } from '../call/credentials.ts';
import { noSteps, stepsAfter } from '../call/steps.ts';
import type { CallState } from '../call/state.ts';
import type { Exchange } from '../edge/edge.ts';
import { waterfall, type Span } from '../trace/waterfall.ts';
import { diagnosisOf, outcomeOf, STEP_NAMES } from './diagnosis.ts';
import { element, make, makeRow } from './elements.ts';
import { clock, shownAnswer } from './texts.ts';

const TOKENS = { accountToken: 'account', fromToken: 'from', toToken: 'to' } as const;

/** Creates the panel for developers: request, response, remaining validity and trace. */
export function createPanelView() {
  let grant: Grant | undefined;
  let steps = noSteps;
  let asked = false;
  setInterval(showValidity, 1000);

  function showState(state: CallState): void {
    if (state.kind === 'microphone-asked') asked = false;
    steps = stepsAfter(steps, state);
    const fault = state.kind === 'failed' ? state.fault : undefined;
    element('nothing').hidden = true;
    element('call-steps').hidden = false;
    element('steps').replaceChildren(
      ...steps.map((row) => {
        const { name, party } = STEP_NAMES[row.step];
        const isReuse = row.step === 'credentials' && row.status === 'done' && !asked;
        const item = makeRow(name, [
          ['party', party],
          ['outcome', isReuse ? 'kept from the last call' : outcomeOf(row, fault)],
        ]);
        item.dataset['step'] = row.step;
        item.dataset['status'] = row.status;
        return item;
      }),
    );
    element('diagnosis').hidden = fault === undefined;
    if (fault === undefined) return;
    const { cause, next, page } = diagnosisOf(fault);
    element('cause').textContent = cause;
    element('next').textContent = next;
    element('see').hidden = page === undefined;
    element('see-page').textContent = page ?? '';
  }

  function showExchange(exchange: Exchange): void {
    asked = true;
    const { url, headers, status, body } = exchange;
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
        const row = makeRow(title, [
          ['number', ''],
          ['bar', make('i')],
        ]);
        row.dataset['token'] = name;
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
        const failed = span.status === 'ERROR';
        const line = make('i');
        line.style.setProperty('--start', String(start));
        line.style.setProperty('--share', String(share));
        const row = makeRow(shortName(span.name), [
          ['service', span.service.replace(/^callpass-/, '') + (failed ? ', failed' : '')],
          ['bar', line],
          ['number', `${span.durationMs.toFixed(1)} ms`],
        ]);
        row.dataset['service'] = span.service;
        row.dataset['span'] = span.name;
        row.dataset['failed'] = String(failed);
        row.title = span.name;
        row.style.setProperty('--depth', String(depth));
        return row;
      }),
    );
  }

  return { showState, showExchange, showSpans };
}

/** Shortens a span's name by the package of its service and by `callpass.`. */
function shortName(name: string): string {
  return name.replace(/^([\w.]+\.[A-Z]\w*\/|callpass\.)/, '');
}
