import type { GatewayStep } from '../call/fault.ts';

/**
 * Finds the gateway's code in a line of the SDK's log. For a refused subscription only the log has the code: the event
 * `call:start` always has "Failed to connect to server.".
 */
export function codeOfLog(messages: readonly unknown[]): number | undefined {
  const found = messages.map((message) =>
    typeof message === 'string'
      ? /^Failed user subscription with status code (\d{1,5})\.$/.exec(message)
      : null,
  );
  return number(found.find((match) => match !== null)?.[1]);
}

/** Finds the gateway's code in an error of the SDK: the code itself, or the end of the text. */
export function codeOfError(code: string | number | undefined, message = ''): number | undefined {
  return number(/^\d{1,5}$/.exec(String(code))?.[0] ?? /Status code: (\d{1,5})$/.exec(message)?.[1]);
}

/** Lines of the SDK's log that tell that a step is done, with the step that follows. */
export const STEP_LINES: ReadonlyMap<unknown, GatewayStep> = new Map([
  ['Successfully subscribed to callMe service. Connecting to websocket.', 'websocket'],
  ['Successfully connected to websocket.', 'call'],
]);

/** The step that begins with an entry of the SDK's log. No event of the SDK tells these two apart. */
export function stepOfLog(messages: readonly unknown[]): GatewayStep | undefined {
  return messages.map((message) => STEP_LINES.get(message)).find((step) => step !== undefined);
}

function number(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
