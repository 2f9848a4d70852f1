import { isUnderWay, type CallState } from '../call/state.ts';
import type { DestinationChoice } from '../config.ts';
import { element, make } from './elements.ts';
import { clock, textsOf } from './texts.ts';

/** Actions of the visitor. */
export interface CallActions {
  readonly call: (destination: string) => void;
  readonly hangUp: () => void;
  readonly setMuted: (muted: boolean) => void;
}

/** Creates the card of the call. It shows a state, moves the focus to the next action and runs the clock. */
export function createCallView(choices: readonly DestinationChoice[], actions: CallActions) {
  const callButton = element<HTMLButtonElement>('call');
  const muteButton = element<HTMLButtonElement>('mute');
  const endButton = element<HTMLButtonElement>('hang-up');
  const destinations = element<HTMLFieldSetElement>('destinations');
  const timer = element('timer');
  let state: CallState = { kind: 'idle' };
  let chosen = choices[0] ?? { id: '', title: '', about: '' };

  for (const choice of choices) element('choices').append(choiceOf(choice, choice === chosen, choose));
  callButton.addEventListener('click', () => {
    if (callButton.getAttribute('aria-disabled') !== 'true') actions.call(chosen.id);
  });
  endButton.addEventListener('click', actions.hangUp);
  muteButton.addEventListener('click', () => {
    actions.setMuted(muteButton.getAttribute('aria-pressed') !== 'true');
  });
  // Until now, a click would have had no effect.
  callButton.disabled = false;
  setInterval(tick, 250);
  show(state);

  function choose(choice: DestinationChoice): void {
    chosen = choice;
    // Another line has other rules, so the last failure does not apply to it.
    show({ kind: 'idle' });
  }

  function show(newState: CallState): void {
    state = newState;
    const underWay = isUnderWay(state);
    const { headline, advice } = textsOf(state, chosen.title);
    element('stage').dataset['state'] = state.kind === 'failed' ? state.failure.kind : state.kind;
    setText('headline', headline);
    setText('advice', advice);
    const focusWasInside = element('actions').contains(document.activeElement);
    callButton.hidden = underWay;
    endButton.hidden = !underWay;
    endButton.textContent = state.kind === 'connected' ? 'Hang up' : 'Cancel';
    muteButton.hidden = state.kind !== 'connected';
    const muted = state.kind === 'connected' && state.muted;
    element('stage').dataset['muted'] = String(muted);
    muteButton.setAttribute('aria-pressed', String(muted));
    destinations.disabled = underWay;
    // Hiding a focused button would move the focus to the top of the page.
    if (focusWasInside && document.activeElement !== muteButton) (underWay ? endButton : callButton).focus();
    tick();
  }

  function tick(): void {
    const failure = state.kind === 'failed' ? state.failure : undefined;
    const waitMs = Math.max(0, (failure?.againAtMs ?? 0) - Date.now());
    // An opening time is told as a time of day; nobody watches a clock until then.
    const counts = waitMs > 0 && failure?.kind !== 'closed';
    const mayCall = failure === undefined || (failure.callable && waitMs === 0);
    callButton.setAttribute('aria-disabled', String(counts));
    callButton.dataset['rank'] = mayCall ? 'primary' : 'secondary';
    const again = mayCall || counts ? 'Call again' : 'Try again';
    setText('call', state.kind === 'idle' ? `Call ${chosen.title}` : again);
    if (counts) setText('timer', `Call again in ${clock(waitMs + 999)}`);
    else setText('timer', state.kind === 'connected' ? clock(Date.now() - state.sinceMs) : '');
    timer.classList.toggle('waiting', counts);
  }

  return { show };
}

/** Sets a text only if it differs, since a live region may read out a text that is set again. */
function setText(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function choiceOf(
  choice: DestinationChoice,
  checked: boolean,
  choose: (choice: DestinationChoice) => void,
): HTMLLabelElement {
  const input = make('input');
  input.type = 'radio';
  input.name = 'destination';
  input.value = choice.id;
  input.checked = checked;
  input.addEventListener('change', () => {
    choose(choice);
  });
  const label = make('label', '', 'choice');
  label.append(input, make('span', choice.title));
  return label;
}
