import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';

/**
 * What is made from SECRET_KEY. Each purpose has a key of its own (HKDF, RFC 5869), so that what one of them gives away
 * helps with no other.
 */
export type Secrets = {
  /** 32 bytes for this purpose. */
  key(purpose: string): Buffer;
  /** A keyed hash (HMAC-SHA-256): equal texts are recognised, but nobody without the key can try texts out. */
  hash(purpose: string, text: string): Buffer;
  encrypt(purpose: string, text: string): Buffer;
  /** Throws when the bytes were not encrypted for this purpose under this key. */
  decrypt(purpose: string, bytes: Buffer): string;
};

const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createSecrets(config: Pick<Config, 'SECRET_KEY' | 'DATA_DIR'>): Secrets {
  let master = config.SECRET_KEY;
  const keys = new Map<string, Buffer>();
  const key = (purpose: string): Buffer => {
    master ??= keptSecret(config.DATA_DIR);
    const known = keys.get(purpose) ?? Buffer.from(hkdfSync('sha256', master, '', `vitrine ${purpose}`, 32));
    keys.set(purpose, known);
    return known;
  };
  return {
    key,
    hash: (purpose, text) => createHmac('sha256', key(purpose)).update(text).digest(),
    encrypt(purpose, text) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key(purpose), iv);
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt(purpose, bytes) {
      const decipher = createDecipheriv('aes-256-gcm', key(purpose), bytes.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    },
  };
}

/** The secret of the embedded shop: made once, readable by its owner alone. */
function keptSecret(dataDir: string): string {
  const file = join(dataDir, 'secret.key');
  if (!existsSync(file)) keepNewSecret(dataDir, file);
  const secret = readFileSync(file, 'utf8').trim();
  if (secret.length < 32) throw new Error(`${file} is damaged: it should hold at least 32 characters.`);
  return secret;
}

/** Under its name there is never less than a whole secret, whoever else starts at the same time or crashes in between. */
function keepNewSecret(dataDir: string, file: string): void {
  mkdirSync(dataDir, { recursive: true });
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600, flush: true });
    linkSync(draft, file);
  } catch (error) {
    // Somebody else was first, and theirs is the one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A random token of 256 bits, and the hash that is stored of it: with so much chance in it, a plain hash is enough. */
export function newToken(prefix = ''): { token: string; hash: Buffer } {
  const token = prefix + randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}

export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
