import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecrets, hashToken, newToken } from './secrets.ts';

const withKey = (SECRET_KEY: string) => createSecrets({ SECRET_KEY, DATA_DIR: '/nonexistent' });

describe('secrets', () => {
  it('make a key of its own for each purpose, the same on every node', () => {
    const one = withKey('a'.repeat(32));
    const node = withKey('a'.repeat(32));
    const other = withKey('b'.repeat(32));
    expect(one.key('tokens')).toEqual(node.key('tokens'));
    expect(one.key('tokens')).toHaveLength(32);
    expect(one.key('tokens')).not.toEqual(one.key('other'));
    expect(one.key('tokens')).not.toEqual(other.key('tokens'));
    expect(one.hash('addresses', 'x')).not.toEqual(other.hash('addresses', 'x'));
  });

  it('encrypt what comes back under the same key and purpose alone, and notice a changed byte', () => {
    const secrets = withKey('a'.repeat(32));
    const packed = secrets.encrypt('second factor', 'JBSWY3DPEHPK3PXP');
    expect(secrets.encrypt('second factor', 'JBSWY3DPEHPK3PXP')).not.toEqual(packed);
    expect(packed.toString('latin1')).not.toContain('JBSWY');
    expect(secrets.decrypt('second factor', packed)).toBe('JBSWY3DPEHPK3PXP');
    expect(() => secrets.decrypt('something else', packed)).toThrow();
    expect(() => withKey('b'.repeat(32)).decrypt('second factor', packed)).toThrow();
    for (let i = 0; i < packed.length; i++) {
      const changed = Buffer.from(packed);
      changed[i]! ^= 1;
      expect(() => secrets.decrypt('second factor', changed)).toThrow();
    }
    expect(() => secrets.decrypt('second factor', packed.subarray(0, 10))).toThrow();
  });

  it('give tokens that nobody guesses, and hashes that tell nothing of them', () => {
    const tokens = Array.from({ length: 100 }, () => newToken('vk_'));
    expect(new Set(tokens.map(({ token }) => token)).size).toBe(100);
    for (const { token, hash } of tokens) {
      expect(token).toMatch(/^vk_[\w-]{43}$/);
      expect(hash).toEqual(hashToken(token));
    }
  });

  describe('without SECRET_KEY', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'vitrine-secret-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));
    const kept = () => createSecrets({ SECRET_KEY: null, DATA_DIR: join(folder, 'data') });

    it('keep one in the data folder, for its owner alone', () => {
      const key = kept().key('tokens');
      expect(kept().key('tokens')).toEqual(key);
      const file = join(folder, 'data', 'secret.key');
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readFileSync(file, 'utf8').trim()).toHaveLength(43);
      expect(readdirSync(join(folder, 'data'))).toEqual(['secret.key']);
    });

    it('agree on one, in processes that start at once', { timeout: 30_000 }, async () => {
      const rounds = 300;
      const code = `
        const { createSecrets } = await import(${JSON.stringify(new URL('./secrets.ts', import.meta.url).href)});
        console.log('ready');
        const start = Number(await new Promise((resolve) => process.stdin.once('data', resolve)));
        const keys = [];
        for (let round = 0; round < ${rounds}; round++) {
          while (Date.now() < start + round * 3);
          const DATA_DIR = ${JSON.stringify(folder)} + '/' + round;
          keys.push(createSecrets({ SECRET_KEY: null, DATA_DIR }).key('tokens').toString('hex'));
        }
        console.log(JSON.stringify(keys));
        process.exit(0);`;
      const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code];
      const processes = Array.from({ length: 4 }, () =>
        spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] }),
      );
      await Promise.all(processes.map(({ stdout }) => once(stdout, 'readable')));
      for (const { stdin } of processes) stdin.write(String(Date.now() + 100));
      const told = await Promise.all(processes.map(({ stdout }) => text(stdout)));
      const keys = told.map((lines) => JSON.parse(lines.slice('ready'.length)) as string[]);
      expect(new Set(keys[0]).size).toBe(rounds);
      for (const each of keys) expect(each).toEqual(keys[0]);
      for (let round = 0; round < rounds; round++)
        expect(readdirSync(join(folder, String(round)))).toEqual(['secret.key']);
    });

    it('is made though a process that was killed has left its draft', () => {
      writeFileSync(join(folder, 'secret.key.0123456789ab'), '');
      const secrets = () => createSecrets({ SECRET_KEY: null, DATA_DIR: folder }).key('tokens');
      expect(secrets()).toEqual(secrets());
    });

    it('refuse a damaged one rather than sign with it', () => {
      kept().key('tokens');
      writeFileSync(join(folder, 'data', 'secret.key'), '');
      expect(() => kept().key('tokens')).toThrow(/damaged/);
    });
  });
});
