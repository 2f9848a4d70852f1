/**
 * The gateway's code from a line of the SDK's log. The SDK drops the code of a refused subscription from its events
 * (`call:start` says "Failed to connect to server." for all of them), and its log is the only place that has it.
 */
export function codeOfLog(messages: readonly unknown[]): number | undefined {
  const found = messages.map((message) =>
    typeof message === 'string'
      ? /^Failed user subscription with status code (\d{1,5})\.$/.exec(message)
      : null,
  );
  return number(found.find((match) => match !== null)?.[1]);
}

/** The gateway's code from an error of the SDK: the code itself, or the end of the text. */
export function codeOfError(code: string | number | undefined, message = ''): number | undefined {
  return number(/^\d{1,5}$/.exec(String(code))?.[0] ?? /Status code: (\d{1,5})$/.exec(message)?.[1]);
}

function number(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
