import { run } from './processes.ts';

const hex = (text: string) => Buffer.from(text).toString('hex');

/** Opens an AES_128_ECB token with the openssl command line. */
export async function opensslEcb(key: string, token: string): Promise<string> {
  return decrypt(['-aes-128-ecb', '-K', hex(key)], token);
}

/** Opens an AES_256_CBC_HMAC_SHA256 token with the openssl command line, after checking its MAC with it. */
export async function opensslCbc(key: string, token: string): Promise<{ iv: string; plaintext: string }> {
  const [mac, iv, text] = [token.slice(0, 64), token.slice(64, 80), token.slice(80)];
  const { stdout } = await run(
    'openssl',
    ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `hexkey:${hex(key)}`],
    {
      input: iv + text,
    },
  );
  if (stdout.trim().split('= ')[1]?.toUpperCase() !== mac) throw new Error('openssl computes another MAC');
  return { iv, plaintext: await decrypt(['-aes-256-cbc', '-K', hex(key), '-iv', hex(iv)], text) };
}

async function decrypt(args: readonly string[], text: string): Promise<string> {
  const base64 = Buffer.from(text, 'hex').toString('base64');
  const { code, stdout, stderr } = await run('openssl', ['enc', '-d', '-base64', '-A', ...args], {
    input: base64,
  });
  if (code !== 0) throw new Error(`openssl: ${stderr}`);
  return stdout;
}
