import type { CallState } from '../call/state.ts';

/** Texts of the page in a state. */
export interface Texts {
  readonly headline: string;
  readonly advice: string;
}

/** Texts for a state; `title` is the name of the destination. They depend on the state only, so a screen reader reads them once. */
export function textsOf(state: CallState, title: string): Texts {
  switch (state.kind) {
    case 'idle':
      return { headline: 'Ready when you are', advice: 'Your browser will ask for the microphone.' };
    case 'microphone-asked':
      return { headline: 'May we use your microphone?', advice: 'Please allow it in your browser.' };
    case 'asking':
      return { headline: 'One moment …', advice: 'Checking if this line can be called.' };
    case 'connecting':
      return { headline: 'Connecting …', advice: `Placing your call to ${title}.` };
    case 'ringing':
      return { headline: 'Ringing …', advice: `Calling ${title}.` };
    case 'connected':
      return state.muted
        ? { headline: 'Your microphone is off', advice: `${title} cannot hear you.` }
        : { headline: 'Connected', advice: `You are talking to ${title}.` };
    case 'ended':
      return {
        headline: state.by === 'visitor' ? 'You hung up' : 'The call has ended',
        advice:
          state.durationMs > 0 ? `It lasted ${spoken(state.durationMs)}.` : 'You can call again at any time.',
      };
    case 'failed': {
      const { kind, headline, advice, againAtMs } = state.failure;
      if (kind === 'closed' && againAtMs !== undefined) {
        return { headline, advice: `We open ${openingTime(againAtMs)}, your time.` };
      }
      return { headline, advice };
    }
  }
}

/** Formats a day and time in the language and time zone of the visitor's browser. */
export function openingTime(ms: number): string {
  return new Intl.DateTimeFormat(undefined, {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
  }).format(ms);
}

/** Formats a duration as `m:ss`, or from one hour as `h:mm:ss`; never negative. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Shortens a token so that it can be recognised, but not used. */
export function shorten(token: string): string {
  return token.length <= 24 ? token : `${token.slice(0, 12)}… (${token.length} characters)`;
}

/** Formats a response of the edge for the panel, with all tokens shortened. */
export function shownAnswer(body: unknown): string {
  if (body === undefined) return 'no response';
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
