import type { CallState } from '../call/state.ts';

/** What the page says in a state. */
export interface Texts {
  readonly headline: string;
  readonly advice: string;
}

/** The words for a state; `title` names the destination. They change with the state only, so they are read out once. */
export function textsOf(state: CallState, title: string): Texts {
  switch (state.kind) {
    case 'idle':
      return { headline: 'Ready when you are', advice: 'Your browser will ask for the microphone.' };
    case 'microphone-asked':
      return { headline: 'May we use your microphone?', advice: 'Please answer your browser’s question.' };
    case 'asking':
      return { headline: 'One moment …', advice: 'Asking whether the line is free to call.' };
    case 'connecting':
      return { headline: 'Connecting …', advice: `Placing your call to ${title}.` };
    case 'ringing':
      return { headline: 'Ringing …', advice: `${title} is being called.` };
    case 'connected':
      return {
        headline: 'Connected',
        advice: state.muted ? 'You are muted: nobody hears you.' : `You are talking to ${title}.`,
      };
    case 'ended':
      return {
        headline: state.by === 'visitor' ? 'You hung up' : 'The call has ended',
        advice:
          state.durationMs > 0 ? `It lasted ${spoken(state.durationMs)}.` : 'Call again whenever you like.',
      };
    case 'set-back': {
      const { kind, headline, advice, againAtMs } = state.setback;
      if (kind === 'closed' && againAtMs !== undefined) {
        return { headline, advice: `We open ${openingTime(againAtMs)}, your time.` };
      }
      return { headline, advice };
    }
  }
}

/** A day and time as the visitor's browser writes it, in the visitor's time zone. */
export function openingTime(ms: number): string {
  return new Intl.DateTimeFormat(undefined, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
  }).format(ms);
}

/** `m:ss`, or `h:mm:ss` from one hour; never negative. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Enough of a token to recognise it, too little to use it. */
export function shorten(token: string): string {
  return token.length <= 24 ? token : `${token.slice(0, 12)}… (${token.length} characters)`;
}

/** An answer of the edge as text for the panel, every token shortened. */
export function shownAnswer(body: unknown): string {
  if (body === undefined) return 'no answer';
  return JSON.stringify(
    body,
    (name, value: unknown) => (name.endsWith('Token') && typeof value === 'string' ? shorten(value) : value),
    2,
  );
}

function spoken(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const parts = [
    minutes > 0 && plural(minutes, 'minute'),
    seconds % 60 > 0 && plural(seconds % 60, 'second'),
  ];
  return parts.filter((part) => part !== false).join(' and ');
}

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
