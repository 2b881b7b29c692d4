import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { onTestFinished } from 'vitest';

/** A mail server on this machine, for one test. */
export type TestSmtp = {
  port: number;
  url: string;
  /** What it has accepted. */
  accepted: Received[];
  /** How many messages were handed to it as a whole, accepted or not. */
  handed: number;
  /** Users and passwords that it was told. */
  logIns: [user: unknown, password: unknown][];
  connections: number;
  /** Ends every connection, without a word. */
  hangUp(): void;
};

export type Received = { from: string; to: string[]; raw: string; mail: Email };

/** Null for yes; a code with its text for no. */
type Answer = string | null;

export type Behaviour = {
  onMail?(): Answer;
  onRcpt?(address: string): Answer | Promise<Answer>;
  /** `n` counts from 1; a promise that never resolves hangs. */
  onData?(n: number, raw: string): Answer | Promise<Answer>;
  onLogIn?(user: string, password: string): Answer;
  options?: SMTPServerOptions;
};

function refusal(answer: Answer): Error | null {
  if (answer === null) return null;
  return Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) });
}

export async function startSmtp(behaviour: Behaviour = {}): Promise<TestSmtp> {
  const { onMail, onRcpt, onData, onLogIn, options } = behaviour;
  const smtp: TestSmtp = { port: 0, url: '', accepted: [], handed: 0, logIns: [], connections: 0, hangUp: () => {} };
  const server = new SMTPServer({
    authOptional: onLogIn === undefined,
    disabledCommands: onLogIn ? [] : ['AUTH', 'STARTTLS'],
    logger: false,
    onConnect(_session, done) {
      smtp.connections++;
      done();
    },
    onAuth({ username, password }, _session, done) {
      smtp.logIns.push([username, password]);
      const refused = refusal(onLogIn?.(String(username), String(password)) ?? null);
      if (refused) done(refused);
      else done(null, { user: username ?? '' });
    },
    onMailFrom: (_address, _session, done) => done(refusal(onMail?.() ?? null)),
    onRcptTo({ address }, _session, done) {
      Promise.resolve(onRcpt?.(address) ?? null).then((answer) => done(refusal(answer)), done);
    },
    onData(stream, { envelope }, done) {
      const take = async () => {
        const raw = (await buffer(stream)).toString('utf8');
        const refused = refusal((await onData?.(++smtp.handed, raw)) ?? null);
        if (!refused)
          smtp.accepted.push({
            from: envelope.mailFrom ? envelope.mailFrom.address : '',
            to: envelope.rcptTo.map(({ address }) => address),
            raw,
            mail: await PostalMime.parse(raw),
          });
        return refused;
      };
      take().then((refused) => done(refused), done);
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  smtp.port = (server.server.address() as AddressInfo).port;
  smtp.url = `smtp://127.0.0.1:${smtp.port}`;
  smtp.hangUp = () => {
    for (const connection of server.connections) connection.close();
  };
  onTestFinished(() => {
    smtp.hangUp();
    server.close();
  });
  return smtp;
}
