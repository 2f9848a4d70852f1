import { describe, expect, it } from '@jest/globals';
import { codeOfError, codeOfLog, stepOfLog } from './refusal-codes.ts';

describe('the code of a refusal', () => {
  it('is found in the SDK’s log, and nothing else is taken from it', () => {
    expect(codeOfLog(['Failed user subscription with status code 46.'])).toBe(46);
    expect(codeOfLog([{ some: 'object' }, 'Failed user subscription with status code 35.'])).toBe(35);
    expect(codeOfLog(['Failed user subscription with status code undefined.'])).toBeUndefined();
    expect(codeOfLog(['Subscribing user ABCDEF0123456789'])).toBeUndefined();
    expect(codeOfLog([])).toBeUndefined();
  });

  it('is found in the SDK’s errors, whose own codes are not the gateway’s', () => {
    expect(codeOfError(65, 'Request failed: Unknown error')).toBe(65);
    expect(codeOfError('65')).toBe(65);
    expect(codeOfError('authentication:1', 'Please check credentials. Status code: 65')).toBe(65);
    expect(codeOfError('call:7', 'Failed to connect to server.')).toBeUndefined();
    expect(codeOfError(undefined)).toBeUndefined();
  });
});

it('the step that begins is found in the SDK’s log', () => {
  expect(stepOfLog(['Successfully subscribed to callMe service. Connecting to websocket.'])).toBe(
    'websocket',
  );
  expect(stepOfLog([{ some: 'object' }, 'Successfully connected to websocket.'])).toBe('call');
  expect(stepOfLog(['Subscribing user ABCDEF0123456789'])).toBeUndefined();
});
