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

function number(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}
