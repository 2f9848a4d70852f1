import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startTelemetryPort, type Readiness, type TelemetryPort } from './telemetry-port.ts';

const READY: Readiness = { ready: true, detail: { store: 'ok' } };

describe('the telemetry port', () => {
  let port: TelemetryPort | undefined;
  afterEach(() => port?.stop());

  async function start(
    readiness = READY,
    metrics: (() => Promise<string>) | undefined = async () => 'm 1\n',
  ) {
    port = await startTelemetryPort('127.0.0.1:0', { metrics, readiness: () => readiness });
    return `http://${port.address}`;
  }

  it('serves metrics in the text format of Prometheus', async () => {
    const response = await fetch(`${await start()}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('m 1\n');
  });

  it('is live, and ready or not as its source says, with the state of its dependencies', async () => {
    const ready = await start();
    expect((await fetch(`${ready}/livez`)).status).toBe(200);
    expect((await fetch(`${ready}/readyz`)).status).toBe(200);
    await port?.stop();
    const response = await fetch(
      `${await start({ ready: false, detail: { store: 'does not answer' } })}/readyz`,
    );
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, store: 'does not answer' });
  });

  it.each([
    ['POST', '/metrics', 405],
    ['DELETE', '/livez', 405],
    ['GET', '/', 404],
    ['GET', '//metrics', 404],
    ['GET', '/metrics/../readyz/x', 404],
    ['HEAD', '/livez', 200],
  ])('answers %s %s with %i', async (method, path, status) => {
    expect((await fetch(`${await start()}${path}`, { method })).status).toBe(status);
  });

  it('has no metrics where none are collected', async () => {
    port = await startTelemetryPort('127.0.0.1:0', { metrics: undefined, readiness: () => READY });
    expect((await fetch(`http://${port.address}/metrics`)).status).toBe(404);
  });

  it('says nothing of why metrics could not be collected', async () => {
    const response = await fetch(`${await start(READY, () => Promise.reject(new Error('canary')))}/metrics`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('canary');
  });

  it('closes a connection on garbage and goes on', async () => {
    const url = await start();
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined).resume();
    socket.write('\0\0\0 HTTP/9\r\n\r\n');
    await closed;
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });
});
